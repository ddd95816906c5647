"""Checksums that own patterns may ask for: a number that fails one is not what it looks like."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

type Validator = Literal["luhn", "iban", "npi", "dea"]

_NPI_PREFIX: Final = "80840"  # CMS, NPI check digit: Luhn over the number behind this prefix
_DEA_DIGITS: Final = 7
_IBAN_CHARS_MIN: Final = 15  # the shortest, Norway's


def luhn_holds(text: str) -> bool:
    """Whether the digits of ``text`` satisfy the checksum of ISO/IEC 7812-1, annex B."""
    digits = [int(char) for char in text if char.isdecimal()]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return bool(digits) and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def iban_holds(text: str) -> bool:
    """Whether ``text``, in any case and with any separators, satisfies the checksum of ISO 13616-1 (ISO/IEC 7064)."""
    compact = "".join(char for char in text if char.isalnum()).upper()
    if len(compact) < _IBAN_CHARS_MIN or not compact.isascii():
        return False
    # Letters count from 10 on, which is what int() says of them in base 36.
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def npi_holds(text: str) -> bool:
    """Whether the digits of ``text`` are a National Provider Identifier with its check digit."""
    return luhn_holds(_NPI_PREFIX + "".join(char for char in text if char.isdecimal()))


def dea_holds(text: str) -> bool:
    """Whether the digits of ``text`` carry the check digit of a DEA registration number."""
    digits = [int(char) for char in text if char.isdecimal()]
    if len(digits) != _DEA_DIGITS:
        return False
    return (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[-1]


CHECKS: Final[Mapping[Validator, Callable[[str], bool]]] = {
    "luhn": luhn_holds,
    "iban": iban_holds,
    "npi": npi_holds,
    "dea": dea_holds,
}
