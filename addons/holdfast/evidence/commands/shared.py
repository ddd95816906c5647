"""What the subcommands share: the parser, and how results are printed."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from holdfast.evidence.verify import Exit

type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 -- it has no public name


class Parser(argparse.ArgumentParser):
    """An argument parser whose usage errors have an exit code of their own."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and exit."""
        self.print_usage(sys.stderr)
        self.exit(Exit.USAGE, f"{self.prog}: {message}\n")


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare `--data`, `--from` and `--to`."""
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="the gateway's data folder")
    parser.add_argument("--from", dest="from_text", default="", metavar="T", help="2026-11-22 or 2026-11-22T18:00:00Z")
    parser.add_argument("--to", dest="to_text", default="", metavar="T", help="like --from; not included")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Declare `--json`."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def out(text: str) -> None:
    """A result, for stdout."""
    print(text)  # noqa: T201 -- a command prints


def say(text: str) -> None:
    """Progress or a problem, for stderr."""
    print(text, file=sys.stderr)  # noqa: T201 -- a command prints
