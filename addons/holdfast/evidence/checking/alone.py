"""What `verify.py` in a package runs: `evidence.py verify`, and nothing else of Holdfast. Standard library only."""

import sys
from collections.abc import Sequence

from holdfast.errors import HoldfastError
from holdfast.evidence.commands import checking
from holdfast.evidence.commands.shared import Commands, Parser, say
from holdfast.evidence.verify import Exit

PROGRAM = "verify.py"


def main(arguments: Sequence[str]) -> int:
    """Verify one package; returns the exit code, as `evidence.py verify` does."""
    commands: Commands = Parser(prog=PROGRAM).add_subparsers(parser_class=Parser)
    checking.add(commands)
    parser = commands.choices["verify"]
    parser.prog = PROGRAM
    parser.epilog = (
        "Needs Python 3.11 or newer and nothing else. Run it as: python -I verify.py FILE.zip --trust log.vkey"
    )
    options = parser.parse_args(arguments)
    try:
        code: int = options.run(options)
    except HoldfastError as error:
        say(f"{PROGRAM}: {error}")
    except OSError as error:
        say(f"{PROGRAM}: {error.filename}: {error.strerror}")
    else:
        return code
    return Exit.UNVERIFIABLE


def run() -> int:
    """:func:`main` with what the shell gave."""
    return main(sys.argv[1:])
