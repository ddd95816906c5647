"""Subcommands that build: `build` and `report`."""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from holdfast.evidence.commands.shared import Commands, add_json, add_source, out, say
from holdfast.evidence.verify import Exit


def add(commands: Commands) -> None:
    """Declare the subcommands."""
    build = commands.add_parser("build", help="write a package that anybody can verify offline")
    add_source(build)
    add_json(build)
    build.add_argument("--out", type=Path, required=True, metavar="FILE.zip", help="the package to write")
    build.set_defaults(run=_build)
    report = commands.add_parser("report", help="write the readable report alone, as one HTML file")
    add_source(report)
    add_json(report)
    report.add_argument("--out", type=Path, required=True, metavar="FILE.html", help="the page to write")
    report.set_defaults(run=_report)


def _build(options: argparse.Namespace) -> int:
    built = _make(options, options.out)
    if options.json:
        out(json.dumps(built, sort_keys=True))
        return Exit.VERIFIED
    out(f"{built['package']}: {built['records']} Records from {built['first']} on, ledger {built['origin']}")
    out(f"give it away together with the ledger's public key, by another way: {options.data / 'keys' / 'ledger.vkey'}")
    out(f"check it: scripts/evidence.py verify {built['package']} --trust ledger.vkey")
    return Exit.VERIFIED


def _make(options: argparse.Namespace, target: Path) -> dict[str, Any]:
    # Late: a verifier has the standard library only.
    from holdfast.evidence.build import build  # noqa: PLC0415
    from holdfast.evidence.period import Period, parse_time  # noqa: PLC0415

    period = Period(
        parse_time(options.from_text) if options.from_text else None,
        parse_time(options.to_text) if options.to_text else None,
    )
    built = build(options.data, target, period=period, asked=(options.from_text, options.to_text), progress=say)
    for digest_hex in built.missing_objects:
        say(f"warning: the ledger names {digest_hex} and does not keep it; the package lacks it")
    return {
        "package": str(built.path),
        "origin": built.origin,
        "first": built.first_index,
        "records": built.records_count,
        "erased_payloads": built.erased_count,
        "missing_objects": [*built.missing_objects],
    }


def _report(options: argparse.Namespace) -> int:
    from holdfast.evidence.container import Package  # noqa: PLC0415 -- beside its one use
    from holdfast.evidence.derived import PAGE_FILE  # noqa: PLC0415 -- beside its one use

    with tempfile.TemporaryDirectory() as folder:
        built = _make(options, Path(folder) / "package.zip")
        with Path(built["package"]).open("rb") as file:
            page = Package(file).read(PAGE_FILE)
    options.out.write_bytes(page)
    built["package"] = None
    out(json.dumps(built | {"report": str(options.out)}, sort_keys=True) if options.json else str(options.out))
    return Exit.VERIFIED
