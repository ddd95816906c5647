"""What replaces a value: the operators.

A mask is a fixed point: masking a masked text again changes nothing. So ``keep_last`` counts the stars of an earlier
run as characters, and never shows more than half of a value.
"""

import hashlib
import hmac
from typing import Final, assert_never

from holdfast.masking.entries import EntityRule
from holdfast.masking.preserving import Accepts, preserved

_DOMAIN: Final = b"holdfast/pseudonym/v1\0"
PSEUDONYM_HEX: Final = 12  # 48 bits: two values of one entity share a token once in some ten million
STAR: Final = "*"


def mask_value(value: str, rule: EntityRule, key: bytes, accepts: Accepts | None = None) -> str:
    """What stands for ``value`` after masking by ``rule``.

    Args:
        value: what was found.
        rule: how its entity is treated.
        key: the 32-byte key of pseudonyms.
        accepts: which masks fit, where the place asks for the form of the value; None where it does not.
    """
    match rule.operator:
        case "replace" | "refuse" | "encrypt":  # what is kept of a refused value, or of one too long to be encrypted
            return f"<{rule.entity}>"
        case "keep_last":
            return keep_last(value, rule.keep_count)
        case "pseudonym":
            return _pseudonym(value, rule, key, accepts)
        case "remove":
            return ""
        case _:
            assert_never(rule.operator)


def _pseudonym(value: str, rule: EntityRule, key: bytes, accepts: Accepts | None) -> str:
    made = None
    if rule.format == "preserve" or (rule.preserves and accepts is not None):
        made = preserved(value, rule.entity, key, accepts or _anything)
    return made if made is not None else f"<{rule.entity}_{pseudonym_hex(value, rule.entity, key)}>"


def _anything(_mask: str) -> bool:
    return True


def keep_last(value: str, count: int) -> str:
    """One star per letter or digit of ``value``, except the last ``count``; only stars where they are over half."""
    chars = [char for char in value if char.isalnum() or char == STAR]
    if not chars:
        return STAR * len(value)
    if len(chars) < 2 * count:
        return STAR * len(chars)
    return STAR * (len(chars) - count) + "".join(chars[-count:])


def is_kept_last(text: str, count: int) -> bool:
    """Whether ``text`` has the form of what :func:`keep_last` makes of a value."""
    kept = text.lstrip(STAR)
    return len(kept) <= min(count, len(text) - len(kept)) and (not kept or kept.isalnum())


def pseudonym_hex(value: str, entity: str, key: bytes) -> str:
    """The token of ``value``: HMAC-SHA256 under ``key``, cut. The same value spelled in another case has another."""
    message = _DOMAIN + entity.encode() + b"\0" + value.encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:PSEUDONYM_HEX]
