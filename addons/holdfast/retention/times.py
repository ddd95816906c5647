"""Times as people write them in rules and commands."""

import datetime as dt
import re
from typing import Final

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
EXPECTED: Final = "Write 2026-11-22, or 2026-11-22T18:00:00Z with its zone"


def parse_time(text: str) -> dt.datetime:
    """The UTC time that ``text`` names: a date, which is its first moment, or a time with its zone.

    Raises:
        ValueError: neither.
    """
    at = dt.datetime.fromisoformat(text)
    if _DATE.fullmatch(text):
        return at.replace(tzinfo=dt.UTC)
    if at.tzinfo is None:
        raise ValueError("a time without a zone is ambiguous")
    return at.astimezone(dt.UTC)
