"""The parser over all subcommands, and the way to the one that was asked for."""

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from holdfast.ledger.commands import checking, erasing, exporting, keeping, look, serving
from holdfast.ledger.commands.shared import Parser

_MODULES: Final = (look, checking, exporting, erasing, keeping, serving)
_PRINTING: Final = frozenset(("status", "head", "verify", "export"))


def parser() -> Parser:
    """Every subcommand and option."""
    top = Parser(
        prog="ledger.py",
        description="Look at a ledger, verify it, and look after it. The gateway may be running.",
        epilog="exit codes: 0 ok, 1 tampered, 2 cannot be done, verified or read, 3 wrong usage",
    )
    top.add_argument("--data", type=Path, default=Path("data"), help="the data folder (default: data)")
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    for module in _MODULES:
        module.add(commands)
    return top


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; returns the exit code."""
    arguments = parser().parse_args(argv)
    if arguments.command in _PRINTING:
        # `export | head` ends quietly. No command that writes may: whoever hangs up on its socket would kill it.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    code: int = arguments.run(arguments)
    return code
