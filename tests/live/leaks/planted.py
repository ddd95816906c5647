"""Made-up regulated values, no two alike, and the ways in which one could have been written down."""

import base64
import dataclasses
import hashlib
import random
import urllib.parse
from collections.abc import Iterable, Iterator
from typing import Final

KINDS: Final = ("card", "ssn", "iban", "email", "phone", "key")
_DIGEST_NAMES: Final = ("md5", "sha1", "sha256")
_BARE_SSN_CHARS: Final = (
    9  # six of its digits are all that base64 shows for sure, and digests in base64 hold many sixes
)
_BASE32: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


@dataclasses.dataclass(frozen=True, slots=True)
class Planted:
    """One value as its owner writes it, and what it is."""

    number: int
    kind: str
    text: str

    @property
    def bare(self) -> str:
        """Without what people put between groups."""
        return "".join(char for char in self.text if char not in " -()+")


def make_planted(kinds: Iterable[str], seed: int) -> list[Planted]:
    """One value for each of ``kinds``; each differs from every other in more than a mask shows of it."""
    dice = random.Random(seed)
    made: list[Planted] = []
    seen: set[str] = set()
    for number, kind in enumerate(kinds):
        value = Planted(number, kind, _text(kind, dice))
        while value.bare in seen:
            value = Planted(number, kind, _text(kind, dice))
        seen.add(value.bare)
        made.append(value)
    return made


def _text(kind: str, dice: random.Random) -> str:
    match kind:
        case "card":
            return _grouped(_with_luhn("4" + _digits(dice, 14)))
        case "ssn":
            return f"{dice.randrange(100, 600)}-{dice.randrange(10, 99)}-{dice.randrange(1000, 9999)}"
        case "iban":
            account = "5001" + _digits(dice, 14)
            return _grouped(f"DE{98 - int(account + '131400') % 97:02d}{account}")
        case "email":
            return f"k{_digits(dice, 9)}@mail.example.com"
        case "phone":
            return f"+49 30 {dice.randrange(10**7, 10**8)}"
        case _:
            return "AKIA" + "".join(dice.choices(_BASE32, k=16))


def _digits(dice: random.Random, count: int) -> str:
    return "".join(dice.choices("0123456789", k=count))


def _grouped(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _with_luhn(digits: str) -> str:
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[::-2])
    return digits + str(-(doubled + sum(map(int, digits[-2::-2]))) % 10)


def spellings(value: Planted) -> Iterator[bytes]:
    """What would be a leak of ``value``: itself, its encodings, and digests that anybody could make of it too."""
    for text in {value.text, value.bare}:
        raw = text.encode()
        yield raw
        yield from (raw.lower(), raw.upper())
        yield from (urllib.parse.quote(text, safe="").encode(), urllib.parse.quote_plus(text, safe="").encode())
        yield from _in_base64(raw) if len(raw) > _BARE_SSN_CHARS else ()
        yield from (raw.hex().encode(), raw.hex().upper().encode(), raw.hex(" ").encode())
        yield from (text.encode("utf-16-le"), text.encode("utf-16-be"))
        yield "".join(f"\\u{ord(char):04x}" for char in text).encode()
        yield "".join(f"&#{ord(char)};" for char in text).encode()
        yield "".join(f"%{ord(char):02X}" for char in text).encode()
        yield raw[::-1]
        for name in _DIGEST_NAMES:
            digest = hashlib.new(name, raw, usedforsecurity=False).digest()
            yield from (digest, digest.hex().encode(), base64.b64encode(digest))


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """The part of the encoding that does not change with what stands before and behind."""
    for shift in range(3):
        data = b"\0" * shift + raw
        whole = base64.b64encode(data[: len(data) // 3 * 3])
        yield whole[4 if shift else 0 :]
