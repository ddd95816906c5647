"""Checks that own patterns may ask for: what fails its checksum, or looks like a word, is not what it seems."""

import collections
import math
from collections.abc import Callable, Mapping
from typing import Final, Literal

from holdfast.masking.predicates import phrase_holds

type Validator = Literal["luhn", "iban", "npi", "dea", "mixed", "entropy", "phrase"]

_NPI_PREFIX: Final = "80840"  # CMS, NPI check digit: Luhn over the number behind this prefix
_DEA_DIGITS: Final = 7
_IBAN_CHARS_MIN: Final = 15  # the shortest, Norway's
_RANDOM_DIGITS_MIN: Final = 2  # one digit is a version or a number behind a word
_RANDOM_BITS_MIN: Final = 3.0  # Shannon's, within the text itself: hex of 16 characters has some 3.3, "aaaa1111" has 1


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


def mixed_holds(text: str) -> bool:
    """Whether ``text`` has capitals, small letters and digits, as keys in base64 have and hashes in hex have not."""
    return any(map(str.isupper, text)) and any(map(str.islower, text)) and any(map(str.isdecimal, text))


def entropy_holds(text: str) -> bool:
    """Whether ``text`` looks drawn by lot: letters and several digits, and at least three bits in each character."""
    digits = sum(map(str.isdecimal, text))
    if digits < _RANDOM_DIGITS_MIN or digits == len(text):
        return False
    counts = collections.Counter(text).values()
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
    return bits >= _RANDOM_BITS_MIN


CHECKS: Final[Mapping[Validator, Callable[[str], bool]]] = {
    "luhn": luhn_holds,
    "iban": iban_holds,
    "npi": npi_holds,
    "dea": dea_holds,
    "mixed": mixed_holds,
    "entropy": entropy_holds,
    "phrase": phrase_holds,
}
