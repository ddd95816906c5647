r"""What Hyperscan is tried with before it is trusted: a prefilter that loses matches lets values pass unseen.

Versions of the library that are vectorscan 5.4.12 do (its pull request 325 brought the fault, 368 mends it): of some
expressions that wait for one of two sets side by side, at the end of the data and also within it. An own rule such as
``[$€]\s*\d+`` is enough. Versions with 5.4.11 do not.
"""

import functools
from typing import Final

import hyperscan

from holdfast.masking.compiling import database_of

_LETTERS: Final = b"words and more of them "
# Expression, data of more than 16 bytes, and where the only match ends; 5.4.12 finds none of them.
TRIED: Final = (
    (r"[=:][\t-\r ]*[Kk]", _LETTERS + b":K and others, more than a few", len(_LETTERS) + 2),
    (r"[a-f0-9]:+\s", _LETTERS + b"a: and others", len(_LETTERS) + 3),
    (r"[1][0-9]\b", _LETTERS + b"12", len(_LETTERS) + 2),
    (r"(?:\A|[^k])k1", _LETTERS + b"k1", len(_LETTERS) + 2),
)


@functools.cache
def is_sound() -> bool:
    """Whether the library that is installed finds what is in :data:`TRIED`. It takes some milliseconds, once."""
    return all(_ends(expression, data) == [end] for expression, data, end in TRIED)


def _ends(expression: str, data: bytes) -> list[int]:
    found: list[int] = []

    def hit(_number: int, _start: int, end: int, _flags: int, _context: object) -> None:
        found.append(end)

    database = database_of({0: expression})
    database.scan(data, match_event_handler=hit, scratch=hyperscan.Scratch(database))
    return found
