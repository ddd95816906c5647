"""Two hundred streams through one gateway, beside a mitmdump that streams: latency of events, rate, memory."""

import dataclasses
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from scripts.bench_world.contest import Contest, Target
from scripts.bench_world.crowds import Crowds, Watched, crowd, prepare
from scripts.bench_world.measure import percentile_ms

WARM_COUNT: Final = 20
MIB: Final = 1024 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class StreamEffort:
    """Streams at once; events a second of each and how long they are listened to; events of each in a burst."""

    count: int
    rate: float
    seconds: float
    burst_count: int


def measure(
    folder: Path, effort: StreamEffort, tell: Callable[[str], None]
) -> tuple[dict[str, Any], dict[str, Watched]]:
    """The figures, ready for JSON, and the crowds behind them."""
    load = os.getloadavg()[0]
    with Contest(folder) as contest:
        crowds = prepare(contest, folder, effort.rate, effort.burst_count)
        watched: dict[str, Watched] = {}
        for target in (crowds.direct, crowds.bare, crowds.gateway):
            tell(f"{effort.count} streams, {target.name}")
            with crowd(crowds, target, "burst", "--count", str(WARM_COUNT)):
                pass  # code is loaded, caches have their first entries
            watched[target.name] = _paced(crowds, target, effort)
            watched[f"{target.name}, burst"] = _burst(crowds, target, effort)
    report = {
        "machine": {"cores": os.cpu_count(), "load": [round(load, 2), round(os.getloadavg()[0], 2)]},
        "effort": dataclasses.asdict(effort),
        "targets": {
            target.name: _row(watched[target.name], watched[f"{target.name}, burst"], effort.count)
            for target in (crowds.direct, crowds.bare, crowds.gateway)
        },
    }
    report["gateway_to_bare"] = _ratios(report["targets"], crowds)
    return report, watched


def _paced(crowds: Crowds, target: Target, effort: StreamEffort) -> Watched:
    with crowd(crowds, target, "listen", "--count", str(effort.count)) as watched:
        time.sleep(effort.seconds)
    return watched


def _burst(crowds: Crowds, target: Target, effort: StreamEffort) -> Watched:
    with crowd(crowds, target, "burst", "--count", str(effort.count)) as watched:
        pass
    return watched


def _row(paced: Watched, burst: Watched, count: int) -> dict[str, Any]:
    told = paced.told
    times, first = told["event_us"], told["first_us"]
    events = len(times) or 1
    return {
        "event_ms": {f"p{share}": round(percentile_ms(times, share / 100), 2) for share in (50, 95, 99)},
        "events_per_s": round(events / told["elapsed_s"], 1),
        "cpu_ms_per_event": round(1000 * paced.cpu_s / events, 3),
        "first_event_ms": {"p50": round(percentile_ms(first, 0.5), 1), "p99": round(percentile_ms(first, 0.99), 1)},
        "burst_events_per_s": round(burst.told["event_count"] / burst.told["elapsed_s"]),
        "rss_mib": {
            "before": round(paced.rss_before / MIB, 1),
            "at": round(paced.rss_at / MIB, 1),
            "after": round(paced.rss_after / MIB, 1),
            "after_burst": round(burst.rss_after / MIB, 1),
        },
        "rss_kib_per_stream": round((paced.rss_at - paced.rss_before) / 1024 / count, 1),
    }


def _ratios(targets: Mapping[str, Any], crowds: Crowds) -> dict[str, float | None]:
    ours, bare = targets[crowds.gateway.name], targets[crowds.bare.name]
    ratios: dict[str, float | None] = {
        f"event_{name}": round(ours["event_ms"][name] / bare["event_ms"][name], 2) for name in ours["event_ms"]
    }
    for name in ("cpu_ms_per_event", "burst_events_per_s", "rss_kib_per_stream"):
        ratios[name] = round(ours[name] / bare[name], 2) if bare[name] else None
    return ratios


def table(report: Mapping[str, Any]) -> str:
    """What a person reads."""
    effort = report["effort"]
    lines = [
        f"{effort['count']} streams at once, {effort['rate']:g} events/s each for {effort['seconds']:g} s",
        f"then as many bursts of {effort['burst_count']} events each",
        f"load average {report['machine']['load'][0]} before, {report['machine']['load'][1]} after",
        "",
        f"{'event latency, ms':24}{'p50':>9}{'p95':>9}{'p99':>9}{'events/s':>10}{'CPU ms/ev':>11}{'burst ev/s':>12}",
    ]
    for name, row in report["targets"].items():
        times = "".join(f"{row['event_ms'][share]:>9.2f}" for share in ("p50", "p95", "p99"))
        rates = f"{row['events_per_s']:>10.0f}{row['cpu_ms_per_event']:>11.2f}{row['burst_events_per_s']:>12,}"
        lines.append(f"{name:24}{times}{rates}")
    lines += [
        "",
        f"{'memory, MiB':24}{'before':>9}{'at':>9}{'after':>9}{'KiB/stream':>12}{'first event p50, p99 ms':>26}",
    ]
    for name, row in report["targets"].items():
        rss, first = row["rss_mib"], row["first_event_ms"]
        sizes = f"{rss['before']:>9.1f}{rss['at']:>9.1f}{rss['after']:>9.1f}{row['rss_kib_per_stream']:>12.1f}"
        lines.append(f"{name:24}{sizes}{first['p50']:>16.1f}{first['p99']:>10.1f}")
    said = ", ".join(f"{name} {value}x" for name, value in report["gateway_to_bare"].items())
    return "\n".join([*lines, "", f"gateway / mitmdump that streams: {said}"])
