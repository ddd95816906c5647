"""Two hundred held calls on one gateway: memory, the way from approval to server, and what others feel meanwhile.

Beside it as many calls that wait behind a bare mitmdump, because their server takes long.
"""

import dataclasses
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from scripts.bench_world.contest import Contest, Target
from scripts.bench_world.crowds import Crowds, Watched, crowd, prepare
from scripts.bench_world.measure import Figures, cpu_seconds, percentile_ms, rss_bytes, run_load, summarise

from holdfast.approval.client import DeskClient, completed

MIB: Final = 1024 * 1024
OTHERS_COUNT: Final = 4  # connections of those who are not held: a load that leaves the core some air
HOLD_S_MAX: Final = 60  # until all calls are held
_CUSTOMER: Final = re.compile(r'"customer_id": ?"(C-\d+)"')
type Decided = dict[str, tuple[float, float]]  # customer: when the approval was handed in, and when it was accepted


@dataclasses.dataclass(frozen=True, slots=True)
class HoldEffort:
    """Calls that wait, and how long the others are measured before and meanwhile."""

    count: int
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """One target: what others felt before and meanwhile, and the crowd that waited."""

    quiet: Figures
    meanwhile: Figures
    watched: Watched
    idle_cpu_share: float


def measure(folder: Path, effort: HoldEffort, tell: Callable[[str], None]) -> tuple[dict[str, Any], dict[str, Watched]]:
    """The figures, ready for JSON, and the crowds behind them."""
    load = os.getloadavg()[0]
    with Contest(folder) as contest:
        crowds = prepare(contest, folder, 1.0, 1)
        tell(f"{effort.count} calls wait for a slow server, {crowds.bare.name}")
        bare = _slow_server(crowds, effort)
        tell(f"{effort.count} calls are held, {crowds.gateway.name}")
        gateway, decided = _held(crowds, effort)
    told = gateway.watched.told
    report = {
        "machine": {"cores": os.cpu_count(), "load": [round(load, 2), round(os.getloadavg()[0], 2)]},
        "effort": dataclasses.asdict(effort),
        "targets": {crowds.bare.name: _row(bare, effort.count), crowds.gateway.name: _row(gateway, effort.count)},
        "approval": {
            **steps(told["replies"], decided),
            "comments": told["comment_count"],
            "answered": len(told["replies"]),
        },
    }
    return report, {crowds.bare.name: bare.watched, crowds.gateway.name: gateway.watched}


def _slow_server(crowds: Crowds, effort: HoldEffort) -> Waiting:
    quiet = _others(crowds, crowds.bare, effort.seconds)
    waits_s = int(2 * effort.seconds) + 10
    with crowd(crowds, crowds.bare, "wait", "--count", str(effort.count), "--server-wait", str(waits_s)) as watched:
        time.sleep(1)  # the calls are on their way
        share = _idle_share(crowds.bare, effort.seconds)
        meanwhile = _others(crowds, crowds.bare, effort.seconds)
    return Waiting(quiet, meanwhile, watched, share)


def _held(crowds: Crowds, effort: HoldEffort) -> tuple[Waiting, Decided]:
    quiet = _others(crowds, crowds.gateway, effort.seconds)
    desk = DeskClient(crowds.data)
    with crowd(crowds, crowds.gateway, "wait", "--count", str(effort.count)) as watched:
        _until_held(desk, effort.count)
        share = _idle_share(crowds.gateway, effort.seconds)
        meanwhile = _others(crowds, crowds.gateway, effort.seconds)
        watched.rss_at = rss_bytes(crowds.gateway.pid)
        decided = _approve_all(desk, crowds.approver_token)
    return Waiting(quiet, meanwhile, watched, share), decided


def _until_held(desk: DeskClient, count: int) -> None:
    until_s = time.monotonic() + HOLD_S_MAX
    while len(desk.listing()) < count:
        if time.monotonic() > until_s:
            raise RuntimeError(f"after {HOLD_S_MAX} s not all {count} calls were held")
        time.sleep(0.1)


def _approve_all(desk: DeskClient, token: str) -> Decided:
    """Approve one hold after another, as one hurried person would."""
    decided: Decided = {}
    for hold in desk.listing():
        sight = desk.show(str(hold["id"]))
        customer = _CUSTOMER.search(sight.view or "")
        if sight.statement is None or customer is None:
            raise RuntimeError("a hold cannot be decided")
        handed_in_s = time.monotonic()
        desk.decide_by_token(completed(sight.statement, "approve", ""), token)
        decided[customer[1]] = (handed_in_s, time.monotonic())
    return decided


def _idle_share(target: Target, seconds: float) -> float:
    """How much of a core the process takes while nothing but waiting goes on."""
    before_s = cpu_seconds(target.pid)
    time.sleep(seconds)
    return (cpu_seconds(target.pid) - before_s) / seconds


def _others(crowds: Crowds, target: Target, seconds: float) -> Figures:
    arguments = ("--port", str(target.port), "--token-file", str(crowds.one_token_path), "--seconds", str(seconds))
    return summarise([run_load(target.pid, (*arguments, "--connections", str(OTHERS_COUNT)), seconds)])


def _row(waiting: Waiting, count: int) -> dict[str, Any]:
    rss = waiting.watched
    return {
        "rss_mib": {
            name: round(value / MIB, 1)
            for name, value in (("before", rss.rss_before), ("at", rss.rss_at), ("after", rss.rss_after))
        },
        "rss_kib_per_call": round((rss.rss_at - rss.rss_before) / 1024 / count, 1),
        "idle_cpu_percent": round(100 * waiting.idle_cpu_share, 1),
        "others_quiet": _others_row(waiting.quiet),
        "others_meanwhile": _others_row(waiting.meanwhile),
        "others_p50_ratio": round(waiting.meanwhile.p50_ms / waiting.quiet.p50_ms, 2),
        "others_p99_ratio": round(waiting.meanwhile.p99_ms / waiting.quiet.p99_ms, 2),
    }


def _others_row(figures: Figures) -> dict[str, float]:
    return {
        "p50_ms": round(figures.p50_ms, 2),
        "p99_ms": round(figures.p99_ms, 2),
        "requests_per_s": round(figures.requests_per_s, 1),
        "failed": figures.failed_count,
    }


def steps(replies: Sequence[tuple[str, float, float]], decided: Decided) -> dict[str, dict[str, float]]:
    """Percentiles in milliseconds of the steps from an approval to the call's reply."""
    known = [(decided[customer], at_s, back_s) for customer, at_s, back_s in replies if customer in decided]
    times = {
        "handed_in_to_accepted": [accepted_s - handed_s for (handed_s, accepted_s), _, _ in known],
        "handed_in_to_server": [at_s - handed_s for (handed_s, _), at_s, _ in known],
        "handed_in_to_reply": [back_s - handed_s for (handed_s, _), _, back_s in known],
    }
    return {
        name: {
            f"p{share}": round(percentile_ms([int(t * 1e6) for t in some], share / 100), 2) for share in (50, 95, 99)
        }
        for name, some in times.items()
    }


def table(report: Mapping[str, Any]) -> str:
    """What a person reads."""
    effort, approval = report["effort"], report["approval"]
    lines = [
        f"{effort['count']} calls wait; {OTHERS_COUNT} connections of others, {effort['seconds']:g} s each time",
        f"load average {report['machine']['load'][0]} before, {report['machine']['load'][1]} after",
        "",
        f"{'':24}{'RSS MiB before':>15}{'at':>8}{'after':>8}{'KiB/call':>10}{'idle CPU %':>12}",
    ]
    for name, row in report["targets"].items():
        rss = row["rss_mib"]
        sizes = f"{rss['before']:>15.1f}{rss['at']:>8.1f}{rss['after']:>8.1f}{row['rss_kib_per_call']:>10.1f}"
        lines.append(f"{name:24}{sizes}{row['idle_cpu_percent']:>12.1f}")
    lines += [
        "",
        f"{'calls of others, ms':24}{'p50':>9}{'p99':>9}{'p50 meanwhile':>16}{'p99 meanwhile':>16}{'ratio p50':>11}",
    ]
    for name, row in report["targets"].items():
        quiet, busy = row["others_quiet"], row["others_meanwhile"]
        times = f"{quiet['p50_ms']:>9.2f}{quiet['p99_ms']:>9.2f}{busy['p50_ms']:>16.2f}{busy['p99_ms']:>16.2f}"
        lines.append(f"{name:24}{times}{row['others_p50_ratio']:>10.2f}x")
    lines += ["", f"{'from an approval, ms':24}{'p50':>9}{'p95':>9}{'p99':>9}"]
    for name, label in (
        ("handed_in_to_accepted", "to its acceptance"),
        ("handed_in_to_server", "to the call's arrival"),
        ("handed_in_to_reply", "to the client's reply"),
    ):
        lines.append(f"{label:24}" + "".join(f"{approval[name][share]:>9.2f}" for share in ("p50", "p95", "p99")))
    lines.append(
        f"{approval['answered']} of {effort['count']} answered; {approval['comments']} comments kept them alive"
    )
    return "\n".join(lines)
