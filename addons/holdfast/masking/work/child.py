"""A worker: masks one message after another for the gateway, within limits that the kernel holds."""

import contextlib
import os
import resource
import socket
import sys
import time
from pathlib import Path
from typing import Final

from holdfast.errors import MaskingError
from holdfast.jsontext import Json
from holdfast.masking.budget import Budget
from holdfast.masking.core import Core
from holdfast.masking.work import frames, seams, wire

MEMORY_BYTES_MAX: Final = 1 << 30  # beside what is loaded; a message of 4 MiB of findings takes a fifth of it
CPU_S_MAX: Final = 10  # twice what a message has: the kernel ends a worker that does not look at the clock


def serve(gateway: socket.socket, core: Core) -> None:
    """Say who this is, then answer tasks until ``gateway`` ends."""
    gateway.setblocking(True)
    _limit_memory()
    with contextlib.suppress(OSError, EOFError):
        frames.send(gateway, wire.dump(os.getpid()))
        while True:
            data = frames.receive(gateway)
            _limit_time()
            frames.send(gateway, wire.dump_answer(answer(data, core)))


def answer(data: bytes, core: Core) -> Json:
    """What became of the task ``data``: an array, or the reason why there is none."""
    try:
        said = wire.load(data)
        part = wire.part_of(said)
        if part is not None:
            return wire.parted_to_json(core.part(part, Budget()))
        ends = seams.ends_of(said)
        if ends is not None:
            return seams.seam_to_json(core.seam(ends, Budget()))
        task = wire.task_of(said)
        return wire.masked_to_json(core.mask(task, Budget()), task.message)
    except MaskingError as error:
        return str(error)
    except Exception as error:  # noqa: BLE001 -- its text may quote the message
        return f"masking failed: {type(error).__name__}"


def _limit_memory() -> None:
    """A message that makes the engine take more fails, and takes no memory from anybody else."""
    if sys.platform == "linux":
        used_bytes = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
        _limit(resource.RLIMIT_AS, used_bytes + MEMORY_BYTES_MAX)


def _limit_time() -> None:
    _limit(resource.RLIMIT_CPU, int(time.process_time()) + CPU_S_MAX)


def _limit(which: int, most: int) -> None:
    hard = resource.getrlimit(which)[1]  # whoever runs the gateway may have set a lower one
    resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
