"""Characters drawn from a key: the same for the same value, and a tag by which a drawn text is known again.

A mask that looks like a value must be known as a mask, without a memory of the masks that were made, or masking it
again would make another one. So the last :data:`TAG_CHARS` of its letters and digits are drawn from the ones before
them. Of real values of the same shape one in a million (of digits alone; with letters fewer) has the right ones, and is
then taken for a mask.
"""

import hashlib
import hmac
from typing import Final

_VALUE_DOMAIN: Final = b"holdfast/preserved/value/v1\0"
_TAG_DOMAIN: Final = b"holdfast/preserved/tag/v1\0"
TAG_CHARS: Final = 6
CHARS_MIN: Final = 12  # letters and digits: as many for the value as for the tag, so a million masks at least
CHARS_MAX: Final = 64  # 512 bits are enough for as many
_LETTERS: Final = 26
_DIGITS: Final = 10


class Draw:
    """Numbers drawn from HMAC-SHA256 under a key. Made once per mask."""

    def __init__(self, key: bytes, domain: bytes, message: str) -> None:
        named = domain + message.encode("utf-8", "surrogatepass")
        blocks = (hmac.digest(key, named + bytes([count]), hashlib.sha256) for count in range(2))
        self._left = int.from_bytes(b"".join(blocks))

    @classmethod
    def of_value(cls, key: bytes, entity: str, value: str, count: int) -> "Draw":
        """What the mask of ``value`` is drawn from at the attempt ``count``."""
        return cls(key, _VALUE_DOMAIN, f"{entity}\0{count}\0{value}")

    def below(self, limit: int) -> int:
        """A number from 0 up to ``limit``."""
        self._left, number = divmod(self._left, limit)
        return number

    def like(self, char: str) -> str:
        """A digit for a digit, a letter of the same case for a letter."""
        if char.isdecimal():
            return str(self.below(_DIGITS))
        letter = chr(ord("a") + self.below(_LETTERS))
        return letter.upper() if char.isupper() else letter


def compact(text: str) -> str:
    """The letters and digits of ``text``."""
    return "".join(char for char in text if char.isalnum())


def tag_of(key: bytes, body: str, shape: str) -> str:
    """The tag behind ``body``, each character like the one of ``shape``. Case makes no difference to it."""
    draw = Draw(key, _TAG_DOMAIN, body.casefold())
    return "".join(map(draw.like, shape))


def tagged(key: bytes, body: str, shape: str) -> str:
    """``body`` and its tag, where ``shape`` is what the tag stands in the place of."""
    return body + tag_of(key, body, shape)


def has_tag(key: bytes, text: str) -> bool:
    """Whether ``text``, letters and digits alone, ends in its tag."""
    body, tag = text[:-TAG_CHARS], text[-TAG_CHARS:]
    return bool(body) and text.isascii() and tag_of(key, body, tag).casefold() == tag.casefold()


def laid_over(value: str, chars: str) -> str:
    """``value`` with its letters and digits, in order, replaced by those of ``chars``."""
    left = iter(chars)
    return "".join(next(left) if char.isalnum() else char for char in value)
