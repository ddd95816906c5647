"""Whether the processor can run the Hyperscan that is locked: one that cannot ends the process when it loads it.

Its wheels for x86-64 hold instructions of AVX2 and BMI2 throughout (Intel since Haswell, 2013; AMD since Excavator) and
choose nothing as they run. Those for aarch64 hold nothing of SVE.
"""

import platform
from pathlib import Path
from typing import Final

_ASKED: Final = frozenset({"avx2", "bmi2"})
_X86: Final = ("x86_64", "amd64")
_ABOUT: Final = Path("/proc/cpuinfo")


def demand_instructions() -> None:
    """Let nobody load Hyperscan who could not run it.

    Raises:
        ImportError: the processor lacks instructions, or does not say which it has.
    """
    if platform.machine().lower() not in _X86:
        return
    missing = sorted(_ASKED - _instructions())
    if missing:
        raise ImportError(f"hyperscan needs a processor with {' and '.join(missing)}")


def _instructions() -> frozenset[str]:
    try:
        lines = _ABOUT.read_text(errors="replace").splitlines()
    except OSError:
        return frozenset()
    flags = (line.partition(":")[2] for line in lines if line.startswith("flags"))
    return frozenset(next(flags, "").split())
