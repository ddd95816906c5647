"""Approvers: people enrolled in `approval.yaml` by an Ed25519 public key, by a token's ``iss`` and ``sub``, or both."""

import base64
import binascii
import dataclasses
from typing import Final

from holdfast.policy.document import Section
from holdfast.policy.scope import parse_id

APPROVERS_COUNT_MAX: Final = 1000  # enrolled one by one; crowds come by group
KEY_BYTES: Final = 32

# RFC 8032, section 5.1: the field, and d of the curve -x² + y² = 1 + d x² y².
_P: Final = 2**255 - 19
_D: Final = -121665 * pow(121666, -1, _P) % _P
# The y of every point whose order divides 8. Under such a key one signature verifies for any statement.
# C2SP CCTV ed25519, keys flagged low_order_A.
_ORDER_8_Y: Final = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL_ORDER_Y: Final = frozenset({0, 1, _P - 1, _ORDER_8_Y, _P - _ORDER_8_Y})


@dataclasses.dataclass(frozen=True, slots=True)
class Approver:
    """Somebody who may decide Holds. ``public_key`` is the base64 of 32 raw bytes."""

    id: str
    name: str
    groups: tuple[str, ...]
    public_key: str | None
    iss: str | None
    sub: str | None


def key_problem(text: str) -> str | None:
    """Why ``text`` is no Ed25519 public key to trust, or None."""
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return "is not base64"
    if len(data) != KEY_BYTES or base64.b64encode(data).decode() != text:
        return f"is not the base64 of {KEY_BYTES} bytes"
    return _point_problem(data)


def _point_problem(data: bytes) -> str | None:
    number = int.from_bytes(data, "little")
    y = number & (2**255 - 1)
    if y % _P in _SMALL_ORDER_Y:
        return "is a point of small order, under which a signature proves nothing"
    if y >= _P:
        return "is not in canonical form"  # RFC 8032, section 5.1.3: decoding fails
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if pow(square, (_P - 1) // 2, _P) != 1:
        return "is not on the curve"
    return None


def parse_approvers(section: Section) -> tuple[Approver, ...]:
    """The people under ``approvers``.

    Raises:
        RulesError: an approver without a way to tell who it is, or two who would be the same.
    """
    ids: set[str] = set()
    means: set[tuple[str, ...]] = set()
    approvers = tuple(_approver(entry, ids, means) for entry in section.sections("approvers"))
    if len(approvers) > APPROVERS_COUNT_MAX:
        raise section.error("approvers", f"has {len(approvers)} entries", "Let a group approve instead")
    return approvers


def _approver(entry: Section, ids: set[str], means: set[tuple[str, ...]]) -> Approver:
    approver_id = parse_id(entry, ids)
    key, iss, sub = entry.text_or_none("public_key"), entry.text_or_none("iss"), entry.text_or_none("sub")
    problem = key_problem(key) if key is not None else None
    if problem:
        raise entry.error("public_key", problem, "Paste the key as `scripts/approve.py` users generate it")
    if not (iss and sub) and (iss is not None or sub is not None):
        raise entry.error("iss" if iss is not None else "sub", "stands alone", "Give both `iss` and `sub`")
    if key is None and iss is None:
        raise entry.error("id", "names nobody", "Add `public_key`, or `iss` and `sub`")
    # One person under two ids would count as two approvals.
    for name, mean in (("public_key", (key,)), ("sub", (iss, sub))):
        texts = tuple(text for text in mean if text is not None)
        if texts and texts in means:
            raise entry.error(name, "belongs to another approver too", "Enrol each person once")
        means.add(texts)
    approver = Approver(
        approver_id, entry.text("name", approver_id), entry.texts("groups", ()), key, iss or None, sub or None
    )
    entry.done()
    return approver
