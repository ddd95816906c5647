"""Rounds, processor time and percentiles."""

import contextlib
import dataclasses
import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from scripts.demo_world.processes import ROOT, child_environment

PROXY_CORE: Final = 0
LOAD_CORE: Final = 1
LOAD_S_EXTRA: Final = 60  # start and last replies of a load generator

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """One run of the load generator against one target. Times in microseconds, processor time in seconds."""

    times_us: tuple[int, ...]
    failed_count: int
    raw_count: int
    first_failure: str
    elapsed_s: float
    cpu_s: float


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """What the rounds of one target come to."""

    requests_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    failed_count: int
    raw_count: int
    first_failure: str


def percentile_ms(times_us: Sequence[int], share: float) -> float:
    """The value that ``share`` of the times do not exceed (nearest rank), in milliseconds; NaN of nothing."""
    if not times_us:
        return math.nan
    return sorted(times_us)[max(0, math.ceil(len(times_us) * share) - 1)] / 1000


def summarise(rounds: Sequence[Round]) -> Figures:
    """All rounds of one target, taken together."""
    times = [time for each in rounds for time in each.times_us]
    elapsed_s = sum(each.elapsed_s for each in rounds)
    return Figures(
        requests_per_s=len(times) / elapsed_s if elapsed_s else math.nan,
        p50_ms=percentile_ms(times, 0.50),
        p99_ms=percentile_ms(times, 0.99),
        cpu_ms=1000 * sum(each.cpu_s for each in rounds) / len(times) if times else math.nan,
        failed_count=sum(each.failed_count for each in rounds),
        raw_count=sum(each.raw_count for each in rounds),
        first_failure=next((each.first_failure for each in rounds if each.first_failure), ""),
    )


def cpu_seconds(pid: int | None) -> float:
    """User and system time that the process has used, all threads; 0 where the kernel does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return 0.0
    # proc(5): the second field is the program's name in brackets and may hold blanks; utime and stime are 14 and 15.
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def rss_bytes(pid: int | None) -> int:
    """How much of the process is in memory now; 0 where the kernel does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def pin(pid: int, core: int) -> None:
    """Bind a process to a core, where the system can and has two."""
    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(pid, {core})


def run_load(pid: int | None, arguments: Sequence[str], seconds: float) -> Round:
    """Run the load generator on core 1 and measure the process ``pid`` meanwhile.

    Raises:
        RuntimeError: the load generator failed.
    """
    before_s = cpu_seconds(pid)
    with subprocess.Popen(
        [sys.executable, "-m", "scripts.bench_world.load", *arguments],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=child_environment({}),
    ) as process:
        pin(process.pid, LOAD_CORE)
        try:
            out, _ = process.communicate(timeout=seconds + LOAD_S_EXTRA)
        except subprocess.TimeoutExpired:
            process.kill()
            raise RuntimeError("the load generator did not come back") from None
    if process.returncode:
        raise RuntimeError(f"the load generator ended with code {process.returncode}")
    told: dict[str, Any] = json.loads(out)
    return Round(
        times_us=tuple(told["times_us"]),
        failed_count=told["failed_count"],
        raw_count=told["raw_count"],
        first_failure=told["first_failure"],
        elapsed_s=told["elapsed_s"],
        cpu_s=cpu_seconds(pid) - before_s,
    )
