"""The command `scripts/evidence.py`: build, verify, report. Results go to stdout, progress to stderr."""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn

from holdfast.approval.visible import visible
from holdfast.errors import EvidenceError, HoldfastError
from holdfast.evidence.fingerprints import read_trust
from holdfast.evidence.verify import NOT_PROVEN, Exit, Verification, verify

_MARKS: Final = {"pass": "ok", "fail": "WRONG", "not checked": "--"}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(Exit.USAGE, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """Every command and option."""
    top = _Parser(prog="evidence.py", description="Evidence packages of a Holdfast ledger.")
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser)
    build = commands.add_parser("build", help="write a package that anybody can verify offline")
    _source(build)
    build.add_argument("--out", type=Path, required=True, metavar="FILE.zip", help="the package to write")
    check = commands.add_parser("verify", help="verify a package; exit 0 verified, 1 tampered, 2 cannot be verified")
    check.add_argument("package", type=Path, metavar="FILE.zip")
    check.add_argument(
        "--trust",
        type=Path,
        metavar="FILE",
        help="the ledger's public key, got from somebody other than the sender: a vkey, or a tlog-policy with `log`",
    )
    check.add_argument("--json", action="store_true", help="print the result as JSON")
    report = commands.add_parser("report", help="write the readable report alone, as one HTML file")
    _source(report)
    report.add_argument("--out", type=Path, required=True, metavar="FILE.html", help="the page to write")
    return top


def _source(command: argparse.ArgumentParser) -> None:
    command.add_argument("--data", type=Path, required=True, metavar="DIR", help="the gateway's data folder")
    command.add_argument("--from", dest="from_text", default="", metavar="T", help="2026-11-22 or 2026-11-22T18:00:00Z")
    command.add_argument("--to", dest="to_text", default="", metavar="T", help="like --from; not included")
    command.add_argument("--json", action="store_true", help="print the result as JSON")


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        match options.command:
            case "verify":
                return _verify(options)
            case "build":
                return _build(options)
            case _:
                return _report(options)
    except HoldfastError as error:
        print(f"evidence.py: {error}", file=sys.stderr)  # noqa: T201 -- a command prints
    except OSError as error:
        print(f"evidence.py: {error.filename}: {error.strerror}", file=sys.stderr)  # noqa: T201 -- a command prints
    return Exit.UNVERIFIABLE


def _say(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 -- a command prints


def _out(text: str) -> None:
    print(text)  # noqa: T201 -- a command prints


def _build(options: Any) -> int:
    built = _make(options, options.out)
    if options.json:
        _out(json.dumps(built, sort_keys=True))
        return Exit.VERIFIED
    _out(f"{built['package']}: {built['records']} Records from {built['first']} on, ledger {built['origin']}")
    _out(f"give it away together with the ledger's public key, by another way: {options.data / 'keys' / 'ledger.vkey'}")
    _out(f"check it: scripts/evidence.py verify {built['package']} --trust ledger.vkey")
    return Exit.VERIFIED


def _make(options: Any, out: Path) -> dict[str, Any]:
    # Late: a verifier has the standard library only.
    from holdfast.evidence.build import build  # noqa: PLC0415
    from holdfast.evidence.period import Period, parse_time  # noqa: PLC0415

    period = Period(
        parse_time(options.from_text) if options.from_text else None,
        parse_time(options.to_text) if options.to_text else None,
    )
    built = build(options.data, out, period=period, asked=(options.from_text, options.to_text), progress=_say)
    for digest_hex in built.missing_objects:
        _say(f"warning: the ledger names {digest_hex} and does not keep it; the package lacks it")
    return {
        "package": str(built.path),
        "origin": built.origin,
        "first": built.first_index,
        "records": built.records_count,
        "erased_payloads": built.erased_count,
        "missing_objects": [*built.missing_objects],
    }


def _report(options: Any) -> int:
    from holdfast.evidence.container import Package  # noqa: PLC0415 -- beside its one use
    from holdfast.evidence.derived import PAGE_FILE  # noqa: PLC0415 -- beside its one use

    with tempfile.TemporaryDirectory() as folder:
        built = _make(options, Path(folder) / "package.zip")
        with built_file(built).open("rb") as file:
            page = Package(file).read(PAGE_FILE)
    options.out.write_bytes(page)
    built["package"] = None
    _out(json.dumps(built | {"report": str(options.out)}, sort_keys=True) if options.json else str(options.out))
    return Exit.VERIFIED


def built_file(built: dict[str, Any]) -> Path:
    """The package that :func:`_make` wrote."""
    return Path(built["package"])


def _verify(options: Any) -> int:
    try:
        trusted = read_trust(options.trust) if options.trust else None
    except EvidenceError as error:
        print(f"evidence.py: {error}", file=sys.stderr)  # noqa: T201 -- a command prints
        return Exit.USAGE
    result = verify(options.package, trusted)
    _out(json.dumps(result.as_json(), sort_keys=True) if options.json else _text(result))
    return result.exit


def _text(result: Verification) -> str:
    lines = [f"{step.id:<4}{_MARKS[step.result]:<6}{step.title}: {step.sentence}" for step in result.steps]
    lines += ["", result.headline]
    if result.exit == Exit.UNVERIFIABLE and not result.is_trusted:
        lines.append("Get the ledger's public key from somebody other than the sender, and give it with --trust FILE.")
    if result.steps:
        lines.append("Not proven: " + "; ".join(NOT_PROVEN) + ".")
    return "\n".join(visible(line) for line in lines)
