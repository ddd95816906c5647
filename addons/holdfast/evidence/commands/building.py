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
    _add_choice(build)
    build.add_argument("--out", type=Path, required=True, metavar="FILE.zip", help="the package to write")
    build.add_argument(
        "--rules",
        type=Path,
        metavar="DIR",
        help="have the witnesses in DIR/witnesses.yaml vouch for the newest checkpoint first",
    )
    build.add_argument(
        "--sample", type=int, default=0, metavar="K", help="draw K Records as samples, each with its proof"
    )
    build.add_argument("--nonce", default="", metavar="TEXT", help="the auditor's word that decides which are drawn")
    build.add_argument("--reason", default="", metavar="TEXT", help="why it is exported, for the Record of the export")
    build.add_argument(
        "--unrecorded",
        action="store_true",
        help="write no Record of the export: for a copy of the data folder, or a disk that cannot be written",
    )
    build.set_defaults(run=_build)
    report = commands.add_parser("report", help="write the readable page alone, as one HTML file")
    _add_choice(report)
    report.add_argument("--out", type=Path, required=True, metavar="FILE.html", help="the page to write")
    report.set_defaults(run=_report)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    add_source(parser)
    add_json(parser)
    parser.add_argument(
        "--withhold",
        action="append",
        default=[],
        metavar="A-B",
        help="give the leaf hashes of these Records alone; repeatable",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="server=NAME|caller=SUB",
        help="withhold the Records of all others; repeatable",
    )
    parser.add_argument(
        "--control", action="append", default=[], metavar="ID", help="a framework or control (soc2, CC6.1); repeatable"
    )


def _build(options: argparse.Namespace) -> int:
    if bool(options.sample) != bool(options.nonce) or options.sample < 0:
        say(
            "evidence.py: --sample K and --nonce TEXT go together: the auditor gives the nonce, so that none can choose"
        )
        return Exit.USAGE
    built = _make(options, options.out, record=not options.unrecorded)
    if options.unrecorded:
        say(
            "WARNING: this export is NOT recorded in the ledger; whoever reads the ledger will not know of this package"
        )
    if options.json:
        out(json.dumps(built, sort_keys=True))
        return Exit.VERIFIED
    withheld = f", {built['withheld']} of them withheld" if built["withheld"] else ""
    out(f"{built['package']}: {built['records']} Records from {built['first']} on{withheld}, ledger {built['origin']}")
    out(f"SHA-256 {built['digest']}, {built['bytes']} bytes" + _recorded(built))
    out(f"give it away together with the ledger's public key, by another way: {options.data / 'keys' / 'ledger.vkey'}")
    out(f"check it: scripts/evidence.py verify {built['package']} --trust ledger.vkey")
    return Exit.VERIFIED


def _recorded(built: dict[str, Any]) -> str:
    index = built["recorded"]
    return ", not recorded" if index is None else f", recorded as record {index}"


def _make(options: argparse.Namespace, target: Path, *, record: bool) -> dict[str, Any]:
    # Late: a verifier has the standard library only.
    from holdfast.evidence.build import build  # noqa: PLC0415

    built = build(
        options.data,
        target,
        wanted=_wanted(options),
        progress=say,
        record=record,
        rules_dir=getattr(options, "rules", None),
        reason=getattr(options, "reason", ""),
    )
    for digest_hex in built.missing_objects:
        say(f"warning: the ledger names {digest_hex} and does not keep it; the package lacks it")
    return {
        "package": str(built.path),
        "origin": built.origin,
        "first": built.first_index,
        "records": built.records_count,
        "withheld": built.withheld_count,
        "erased_payloads": built.erased_count,
        "missing_objects": [*built.missing_objects],
        "digest": built.digest_hex,
        "bytes": built.size_bytes,
        "recorded": built.recorded_index,
    }


def _wanted(options: argparse.Namespace) -> Any:
    # Late: a verifier has the standard library only.
    from holdfast.evidence.build import Wanted  # noqa: PLC0415
    from holdfast.evidence.control.frameworks import chosen  # noqa: PLC0415
    from holdfast.evidence.files.withheld import parse_selection  # noqa: PLC0415
    from holdfast.evidence.making.period import Period, parse_time  # noqa: PLC0415

    period = Period(
        parse_time(options.from_text) if options.from_text else None,
        parse_time(options.to_text) if options.to_text else None,
    )
    return Wanted(
        period=period,
        asked=(options.from_text, options.to_text),
        selection=parse_selection(options.withhold, options.only),
        controls=chosen(getattr(options, "rules", None), options.control),
        control_ids=tuple(sorted(set(options.control))),
        sample_count=getattr(options, "sample", 0),
        nonce=getattr(options, "nonce", ""),
    )


def _report(options: argparse.Namespace) -> int:
    # Late: a verifier has the standard library only. Nothing leaves as a package here, so there is no export to record.
    from holdfast.evidence.build import page  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        data = page(options.data, Path(folder), _wanted(options), say)
    options.out.write_bytes(data)
    out(json.dumps({"report": str(options.out), "bytes": len(data)}) if options.json else str(options.out))
    return Exit.VERIFIED
