"""A witness that dies by SIGKILL once a submission is persisted, and before it is answered."""

import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from tests.witness.worlds import make_witness

from holdfast.clock import SystemClock
from holdfast.witness.server import web
from holdfast.witness.server.judge import Answer, Judge


class Dying(Judge):
    def add_checkpoint(self, body: bytes) -> Answer:
        answer = super().add_checkpoint(body)
        if answer.status == 200:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    judge = make_witness(Path(sys.argv[1]), SystemClock())
    judge.__class__ = Dying
    asyncio.run(web.serve(judge, "127.0.0.1", 0))
