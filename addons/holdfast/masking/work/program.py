"""How a process of our own is started: which command, and what of the environment it sees."""

import os
import sys
from pathlib import Path
from typing import Final

_SOURCE: Final = Path(__file__).resolve().parents[3]
# What a program needs to run at all; keys and tokens in the gateway's environment are none of its business.
_KEPT: Final = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ")
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")  # a fork copies one thread alone


def command(module: str, *arguments: str) -> list[str]:
    """What runs ``module`` of this source under this Python."""
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """What it sees of this process' environment."""
    seen = {name: os.environ[name] for name in _KEPT if name in os.environ}
    # The search path of this process: whatever it could import is there for the other too.
    path = os.pathsep.join([str(_SOURCE), *(place for place in sys.path if place)])
    return {**seen, **dict.fromkeys(_THREADS, "1"), "PYTHONPATH": path}
