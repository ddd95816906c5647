"""What replaces a value: the four operators.

A mask is a fixed point: masking a masked text again changes nothing. So ``keep_last`` counts the stars of an earlier
run as characters, and never shows more than half of a value.
"""

import hashlib
import hmac
from typing import Final, assert_never

from holdfast.masking.entries import EntityRule

_DOMAIN: Final = b"holdfast/pseudonym/v1\0"
PSEUDONYM_HEX: Final = 12  # 48 bits: two values of one entity share a token once in some ten million
STAR: Final = "*"


def mask_value(value: str, rule: EntityRule, key: bytes) -> str:
    """What stands for ``value`` after masking by ``rule``. ``key`` is the 32-byte key of pseudonyms."""
    match rule.operator:
        case "replace":
            return f"<{rule.entity}>"
        case "keep_last":
            return keep_last(value, rule.keep_count)
        case "pseudonym":
            return f"<{rule.entity}_{pseudonym_hex(value, rule.entity, key)}>"
        case "remove":
            return ""
        case _:
            assert_never(rule.operator)


def keep_last(value: str, count: int) -> str:
    """One star per letter or digit of ``value``, except the last ``count``; only stars where they are over half."""
    chars = [char for char in value if char.isalnum() or char == STAR]
    if not chars:
        return STAR * len(value)
    if len(chars) < 2 * count:
        return STAR * len(chars)
    return STAR * (len(chars) - count) + "".join(chars[-count:])


def pseudonym_hex(value: str, entity: str, key: bytes) -> str:
    """The token of ``value``: HMAC-SHA256 under ``key``, cut. The same value spelled in another case has another."""
    message = _DOMAIN + entity.encode() + b"\0" + value.encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:PSEUDONYM_HEX]
