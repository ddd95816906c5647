"""Numbers that are masked and stay numbers."""

from typing import Final

from holdfast.masking.preserving import Accepts
from holdfast.masking.schemas import Schema

DIGITS_MIN: Final = 7  # shorter numbers are no account, card or telephone number
DIGITS_MAX: Final = 19  # ISO/IEC 7812: the longest card number


def number_of(value: float, schema: Schema | None) -> Accepts:
    """Which digits can stand in the place of the number ``value``."""

    def accepts(mask: str) -> bool:
        number = numeral(mask, "", value)
        return number is not None and (schema is None or schema.admits(number))

    return accepts


def numeral(mask: str, text: str, value: float) -> int | float | None:
    """The number that ``mask``, which stands for ``text``, is in the place of ``value``; None where it is none."""
    if mask == text:
        return value
    if not mask.isdecimal() or not mask.isascii() or mask[0] == "0":  # JSON has no numbers that begin with 0
        return None
    return int(mask) if value >= 0 else -int(mask)


def digits_of(value: float) -> str | None:
    """The digits of a whole number, by which it is scanned; None for a fraction."""
    if isinstance(value, int):
        return str(abs(value))
    # 4111111111111111.0 is a card number that went through a spreadsheet.
    return str(abs(int(value))) if value.is_integer() and abs(value) < 10**DIGITS_MAX else None
