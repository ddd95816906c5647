"""The parser over all subcommands, and the way to the one that was asked for."""

import importlib
import signal
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Final

from holdfast.ledger.commands import checking, exporting, look
from holdfast.ledger.commands.shared import Parser

_READING: Final = (look, checking, exporting)  # these need nothing but the standard library
_WRITING: Final = ("erasing", "keeping", "serving")
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
    writing, missing = _writing()
    for module in (*_READING, *writing):
        module.add(commands)
    if missing:
        top.epilog = f"commands that write are left out: {missing} is not installed; {top.epilog}"
    return top


def _writing() -> tuple[list[ModuleType], str]:
    """The modules of the subcommands that write; none, and the package that is missing, where that cannot be done."""
    try:
        return [importlib.import_module(f"{__package__}.{name}") for name in _WRITING], ""
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "holdfast"):
            raise  # a fault of ours is no missing package
        return [], missing


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; returns the exit code."""
    arguments = parser().parse_args(argv)
    if arguments.command in _PRINTING:
        # `export | head` ends quietly. No command that writes may: whoever hangs up on its socket would kill it.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    code: int = arguments.run(arguments)
    return code
