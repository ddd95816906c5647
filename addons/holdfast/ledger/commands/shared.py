"""What the subcommands share: exit codes, the parser, and how results are printed."""

import argparse
import json
import sys
from typing import Any, Final, NoReturn

from holdfast.errors import LedgerError

EXIT_OK: Final = 0
EXIT_TAMPERED: Final = 1
EXIT_UNVERIFIABLE: Final = 2
EXIT_USAGE: Final = 3

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 -- it has no public name


class Parser(argparse.ArgumentParser):
    """An argument parser whose usage errors have an exit code of their own."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit."""
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare `--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")


def out(text: str) -> None:
    """A result, for stdout."""
    print(text)  # noqa: T201 -- a command prints


def say(text: str) -> None:
    """Progress or a problem, for stderr."""
    print(text, file=sys.stderr)  # noqa: T201 -- a command prints


def show(facts: dict[str, Any], *, as_json: bool) -> None:
    """Facts as one JSON object, or one line each."""
    if as_json:
        out(json.dumps(facts))
        return
    for name, value in facts.items():
        out(f"{name.replace('_', ' '):<13} {'-' if value is None else value}")


def fail(error: LedgerError, code: int, *, as_json: bool) -> int:
    """Tell of a ledger that is not as it should be; returns the exit code."""
    if as_json:
        out(json.dumps({"verified": False, "tampered": code == EXIT_TAMPERED, "error": str(error)}))
    say(f"ledger: {error}")
    return code
