"""Compiling expressions into a Hyperscan database; large sets in processes of their own.

Hyperscan holds the interpreter's lock for the seconds that it compiles, and new rules are loaded while the gateway
runs: in the same process, every message would wait. Two processes also take half of the time.

``python -m holdfast.masking.compiling`` reads expressions from standard input (JSON: an object, number to expression)
and writes the serialised database to standard output. It is given rules and nothing else.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import hyperscan

from holdfast.masking.work import program

COMPILE_S_MAX: Final = 120  # it takes three seconds; more on a busy machine
NICENESS: Final = 5  # as workers have it
_MODULE: Final = "holdfast.masking.compiling"


def database_of(expressions: Mapping[int, str]) -> Any:
    """The database of ``expressions``, at least one, made here.

    Raises:
        hyperscan.HyperscanError: it cannot read one of them.
    """
    database = hyperscan.Database()
    database.compile(
        expressions=[expression.encode() for expression in expressions.values()],
        ids=list(expressions),
        elements=len(expressions),
        flags=[0] * len(expressions),
    )
    return database


def dumped_apart(sets: Sequence[Mapping[int, str]]) -> list[bytes] | None:
    """The serialised database of each of ``sets``, made by other processes; None where one of them failed."""
    with ThreadPoolExecutor(len(sets)) as pool:
        dumped = list(pool.map(_dumped_apart, sets))
    made = [one for one in dumped if one is not None]
    return made if len(made) == len(sets) else None


def _dumped_apart(expressions: Mapping[int, str]) -> bytes | None:
    try:
        done = subprocess.run(  # noqa: S603 -- this Python and this source
            program.command(_MODULE),
            env=program.environment(),
            input=json.dumps(expressions).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a message of the library may quote a rule
            check=True,
            timeout=COMPILE_S_MAX,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout or None


def main() -> None:
    """One set of expressions, behind whoever masks on a machine that is busy."""
    os.nice(NICENESS)
    stated = json.loads(sys.stdin.buffer.read())
    database = database_of({int(number): expression for number, expression in stated.items()})
    sys.stdout.buffer.write(hyperscan.dumpb(database))


if __name__ == "__main__":
    main()
