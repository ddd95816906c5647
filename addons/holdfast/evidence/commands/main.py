"""The parser over all subcommands, and the way to the one that was asked for."""

from collections.abc import Sequence
from typing import Final

from holdfast.errors import HoldfastError
from holdfast.evidence.commands import building, checking, proving
from holdfast.evidence.commands.shared import Parser, say
from holdfast.evidence.verify import Exit

_MODULES: Final = (building, checking, proving)


def parser() -> Parser:
    """Every subcommand and option."""
    top = Parser(prog="evidence.py", description="Evidence packages of a Holdfast ledger.")
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    for module in _MODULES:
        module.add(commands)
    return top


def main(arguments: Sequence[str]) -> int:
    """Run one subcommand; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        code: int = options.run(options)
    except HoldfastError as error:
        say(f"evidence.py: {error}")
    except OSError as error:
        say(f"evidence.py: {error.filename}: {error.strerror}")
    else:
        return code
    return Exit.UNVERIFIABLE
