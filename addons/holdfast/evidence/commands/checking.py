"""The subcommand `verify`."""

import argparse
import json
from pathlib import Path
from typing import Final

from holdfast.approval.visible import visible
from holdfast.errors import EvidenceError
from holdfast.evidence.checking.trusting import read_trust_file
from holdfast.evidence.commands.shared import Commands, add_json, out, say
from holdfast.evidence.making.meter import Meter
from holdfast.evidence.verify import NOT_PROVEN, Exit, Verification, verify

_MARKS: Final = {"pass": "ok", "fail": "WRONG", "not checked": "--"}


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("verify", help="verify a package; exit 0 verified, 1 tampered, 2 cannot be verified")
    parser.add_argument("package", type=Path, metavar="FILE.zip")
    parser.add_argument(
        "--trust",
        type=Path,
        metavar="FILE",
        help="the ledger's public key, got from somebody other than the sender: a vkey, or a tlog-policy with `log`",
    )
    parser.add_argument(
        "--tsa-roots",
        type=Path,
        metavar="FILE.pem",
        help="certificates of the time-stamping authorities that you trust",
    )
    add_json(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    try:
        trusted = read_trust_file(options.trust, options.tsa_roots) if options.trust else None
    except EvidenceError as error:
        say(f"evidence.py: {error}")
        return Exit.USAGE
    result = verify(options.package, trusted, Meter(say))
    out(json.dumps(result.as_json(), sort_keys=True) if options.json else _text(result))
    return result.exit


def _text(result: Verification) -> str:
    lines = [f"{step.id:<4}{_MARKS[step.result]:<6}{step.title}: {step.sentence}" for step in result.steps]
    lines += ["", result.headline]
    if result.exit == Exit.UNVERIFIABLE and not result.is_trusted:
        lines.append("Get the ledger's public key from somebody other than the sender, and give it with --trust FILE.")
    if result.steps:
        lines.append("Not proven: " + "; ".join(NOT_PROVEN) + ".")
    return "\n".join(visible(line) for line in lines)
