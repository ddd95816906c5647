"""What /proc says about the processes of a gateway."""

import contextlib
from pathlib import Path

from tests.live.harness.gateway import Gateway


def children(pid: int) -> list[int]:
    """The processes that ``pid`` has started and that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text("utf-8", "replace").rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return found


def workers(gateway: Gateway) -> list[int]:
    """The workers of ``gateway``: its one child is their nursery."""
    (nursery,) = children(gateway.process.pid)
    return children(nursery)


def ticks(pid: int) -> int:
    """The processor time of a process, in ticks of the kernel's clock (10 ms)."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
