"""Measure the gateway against a bare mitmdump, in one run, on this machine.

``bench.py gateway`` (the default) sends 1 KB calls over keep-alive connections through a bare mitmdump and through the
gateway with everything on: RS256 identity, access and approval rules, masking in both directions, a durable Record
before each call and before each reply. Rounds take turns. ``docs/benchmarks.md`` says what the figures mean.

``bench.py streams`` lets many event streams go through one gateway, and through a mitmdump that passes them on;
``bench.py holds`` lets many calls be held on one gateway, beside calls that wait for a slow server behind mitmdump.
``bench.py ledger`` appends to the ledger in process and over the socket of a separate writer, beside raw SQLite.
``bench.py masking`` asks Presidio's own engine and the gateway's way to the same findings over the same texts, gives
the engine texts made to be slow, and starts it twice; ``--loop`` says how long such texts keep the event loop.
``bench.py split`` lets values that are cut in parts go through the window of a stream: what gets out, what waits.
``bench.py evidence`` builds the package of a ledger with many Records, and verifies it: time and memory of both.
"""

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "addons")]

from scripts.bench_world import evidence, holds, hostile, ledger, loop_lag, masking, split, starting, streams
from scripts.bench_world.contest import Contest, Effort, call_rounds, stream_rounds
from scripts.bench_world.crowds import complain
from scripts.bench_world.measure import Figures, summarise

from holdfast.masking.rules import parse_masking
from holdfast.policy.beside import Beside
from holdfast.policy.document import parse_document, read_source
from holdfast.policy.ruleset import load_ruleset

BARE: Final = "bare mitmdump"
GATEWAY: Final = "gateway"
RELAY: Final = "mitmdump that streams"


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the command line, measure, print; 1 when calls failed or a raw value came through."""
    options = _parser().parse_args(argv)
    return int(options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _gateway_options(parser)
    commands = parser.add_subparsers(title="what to measure", metavar="COMMAND")
    gateway = commands.add_parser("gateway", help="the whole gateway against a bare mitmdump (default)")
    _gateway_options(gateway)
    _stream_options(commands.add_parser("streams", help="many event streams at once: latency, rate, memory"))
    _hold_options(commands.add_parser("holds", help="many held calls at once: memory, approval to server, others"))
    _ledger_options(commands.add_parser("ledger", help="durable appends a second, beside raw SQLite; verify"))
    _masking_options(commands.add_parser("masking", help="findings a message costs, beside Presidio's own engine"))
    _split_options(commands.add_parser("split", help="values split over events: what gets out, how long events wait"))
    _evidence_options(commands.add_parser("evidence", help="build and verify the package of a large ledger"))
    return parser


def _gateway_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=5.0, help="length of one round (default 5)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each target, in turn (default 3)")
    parser.add_argument("--connections", type=int, default=16, help="keep-alive connections (default 16)")
    parser.add_argument("--streams", type=int, default=10, help="event streams per round (default 10)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=measure_gateway)


def _stream_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--streams", type=int, default=200, help="event streams at once (default 200)")
    parser.add_argument("--rate", type=float, default=1.0, help="events a second of each stream (default 1)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long they are listened to (default 10)")
    parser.add_argument("--burst", type=int, default=50, help="events of each stream of the burst (default 50)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=measure_streams)


def _hold_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--holds", type=int, default=200, help="calls that are held at once (default 200)")
    parser.add_argument("--seconds", type=float, default=8.0, help="how long others are measured (default 8)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=measure_holds)


def _ledger_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one round (default 2)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each kind, in turn (default 3)")
    parser.add_argument("--records", type=int, default=100_000, help="Records of the ledger to verify (default 100000)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=measure_ledger)


def _evidence_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--records", type=int, default=100_000, help="Records of the ledger (default 100000)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=measure_evidence)


def _masking_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--messages", type=int, default=200, help="messages for each share with data (default 200)")
    parser.add_argument("--loop", action="store_true", help="instead: how long hostile texts keep the event loop")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=measure_masking)


def _split_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--values", type=int, default=500, help="values that are cut (default 500)")
    parser.add_argument("--gap", type=float, default=200.0, help="milliseconds between events (default 200)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.set_defaults(run=measure_split)


def measure_split(options: argparse.Namespace) -> int:
    """Let cut values through the window of a stream and print what got out."""
    report = split.measure(ROOT / "rules", options.values, options.gap, _tell)
    print(json.dumps(report, indent=2) if options.json else split.table(report))
    return 0


def measure_masking(options: argparse.Namespace) -> int:
    """Find in the same texts both ways and print what that took; 1 where the findings differ."""
    if options.loop:
        lags = loop_lag.measure(load_ruleset(ROOT / "rules").masking, _tell)
        print(json.dumps([dataclasses.asdict(one) for one in lags], indent=2) if options.json else loop_lag.table(lags))
        return 0
    path = ROOT / "rules" / "masking.yaml"
    sets = {
        "Presidio's defaults, eight regions": masking.defaults_only(),
        "with own patterns": masking.all_on(path),
    }
    figures = {name: masking.measure(rules, options.messages, _tell) for name, rules in sets.items()}
    _tell("texts made to be slow ...")
    shipped = parse_masking(parse_document(read_source(path)), Beside(path.parent))
    costs = {name: hostile.measure(rules) for name, rules in {"shipped rules": shipped, **sets}.items()}
    starts = starting.measure()
    if options.json:
        told = {name: [one.to_json() for one in each] for name, each in figures.items()}
        slow = {name: [dataclasses.asdict(one) for one in each] for name, each in costs.items()}
        print(json.dumps({"messages": told, "hostile": slow, "start": starts}, indent=2))
    else:
        parts = [f"{name}\n{masking.table(each)}" for name, each in figures.items()]
        parts += [f"texts made to be slow, {name}\n{hostile.table(each, 8)}" for name, each in costs.items()]
        print("\n\n".join([*parts, starting.table(starts)]))
    return 1 if any(one.differing_count for each in figures.values() for one in each) else 0


def measure_evidence(options: argparse.Namespace) -> int:
    """Build and verify a large package and print what that took."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        figures = evidence.measure(Path(folder), options.records, _tell)
    if options.json:
        print(json.dumps(dataclasses.asdict(figures), indent=2))
        return figures.build.exit_code or figures.verify.exit_code
    print(f"{figures.records_count:,} Records, package {figures.package_bytes / 1e6:.0f} MB")
    for name, one in (("build", figures.build), ("verify", figures.verify)):
        print(f"  {name:<7} {one.seconds:7.1f} s  {one.peak_mib:5.0f} MiB at most")
    return figures.build.exit_code or figures.verify.exit_code


def measure_ledger(options: argparse.Namespace) -> int:
    """Measure appends and print what came of it; 1 when the ledger that was written does not verify."""
    report = ledger.measure(ledger.LedgerEffort(options.seconds, options.rounds, options.records))
    print(json.dumps(report, indent=2) if options.json else ledger.table(report))
    return 1 if report["verify"]["exit"] else 0


def measure_streams(options: argparse.Namespace) -> int:
    """Let a crowd listen, and print what came of it; 1 when a stream failed or carried a raw value."""
    effort = streams.StreamEffort(options.streams, options.rate, options.seconds, options.burst)
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        report, watched = streams.measure(Path(folder), effort, _tell)
    print(json.dumps(report, indent=2) if options.json else streams.table(report))
    return complain(watched, _tell)


def measure_holds(options: argparse.Namespace) -> int:
    """Let a crowd be held, and print what came of it; 1 when a call was not answered."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        report, watched = holds.measure(Path(folder), holds.HoldEffort(options.holds, options.seconds), _tell)
    print(json.dumps(report, indent=2) if options.json else holds.table(report))
    return complain(watched, _tell)


def measure_gateway(options: argparse.Namespace) -> int:
    """Run the contest and print what came of it."""
    effort = Effort(options.seconds, options.rounds, options.connections, options.streams)
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder, Contest(Path(folder)) as contest:
        field = contest.prepare()
        calls = {name: summarise(rounds) for name, rounds in call_rounds(field, effort, _tell).items()}
        streams = {name: summarise(rounds) for name, rounds in stream_rounds(field, effort).items()}
    report = _report(effort, calls, streams)
    print(json.dumps(report, indent=2) if options.json else _table(report))
    return _complain({**{f"streams, {name}": each for name, each in streams.items()}, **calls})


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _report(effort: Effort, calls: Mapping[str, Figures], streams: Mapping[str, Figures]) -> dict[str, Any]:
    bare, gateway = calls[BARE], calls[GATEWAY]
    return {
        "machine": {"cores": os.cpu_count(), "python": sys.version.split()[0]},
        "effort": {
            "seconds": effort.seconds,
            "rounds": effort.round_count,
            "connections": effort.connection_count,
            "streams": effort.stream_count * effort.round_count,
        },
        "calls": {name: _call_row(figures) for name, figures in calls.items()},
        "gateway_to_bare": {
            "requests_per_s": round(gateway.requests_per_s / bare.requests_per_s, 2),
            "p50": round(gateway.p50_ms / bare.p50_ms, 2),
            "p99": round(gateway.p99_ms / bare.p99_ms, 2),
            "cpu": round(gateway.cpu_ms / bare.cpu_ms, 2) if bare.cpu_ms else None,
        },
        "first_event_ms": {
            name: {"p50": round(figures.p50_ms, 2), "p99": round(figures.p99_ms, 2)}
            for name, figures in streams.items()
        },
        "first_event_gateway_to_streaming_mitmdump": round(streams[GATEWAY].p50_ms / streams[RELAY].p50_ms, 2),
    }


def _call_row(figures: Figures) -> dict[str, float | int]:
    return {
        "requests_per_s": round(figures.requests_per_s, 1),
        "p50_ms": round(figures.p50_ms, 2),
        "p99_ms": round(figures.p99_ms, 2),
        "cpu_ms_per_request": round(figures.cpu_ms, 3),
        "failed": figures.failed_count,
        "raw_values_seen": figures.raw_count,
    }


def _table(report: Mapping[str, Any]) -> str:
    effort, ratio = report["effort"], report["gateway_to_bare"]
    lines = [
        f"1 KB calls, {effort['connections']} keep-alive connections, {effort['rounds']} x {effort['seconds']:g} s",
        "each in turn; proxies on core 0, stub and load generator on core 1",
        "",
        f"{'':24}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'CPU ms/req':>12}",
    ]
    for name, row in report["calls"].items():
        cpu = f"{row['cpu_ms_per_request']:.2f}" if row["cpu_ms_per_request"] else "-"
        lines.append(f"{name:24}{row['requests_per_s']:>10.0f}{row['p50_ms']:>10.2f}{row['p99_ms']:>10.2f}{cpu:>12}")
    rates = (ratio["requests_per_s"], ratio["p50"], ratio["p99"], ratio["cpu"] or float("nan"))
    lines.append(f"{'gateway / bare':24}{rates[0]:>9.2f}x{rates[1]:>9.2f}x{rates[2]:>9.2f}x{rates[3]:>11.2f}x")
    lines += ["", f"{'first event of a stream':34}{'p50 ms':>10}{'p99 ms':>10}"]
    lines += [f"{name:34}{row['p50']:>10.2f}{row['p99']:>10.2f}" for name, row in report["first_event_ms"].items()]
    lines.append(f"{'gateway / mitmdump that streams':34}{report['first_event_gateway_to_streaming_mitmdump']:>9.2f}x")
    return "\n".join(lines)


def _complain(figures: Mapping[str, Figures]) -> int:
    """Say what went wrong on stderr; 0 when nothing did. Only the gateway owes masked replies."""
    failed = {name: each for name, each in figures.items() if each.failed_count}
    for name, each in failed.items():
        _tell(f"{name}: {each.failed_count} calls failed, the first: {each.first_failure}")
    raw_count = figures[GATEWAY].raw_count
    if raw_count:
        _tell(f"gateway: {raw_count} replies carried a raw card number")
    return 1 if failed or raw_count else 0


if __name__ == "__main__":
    raise SystemExit(main())
