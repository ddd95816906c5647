"""What goes into the ledger and what comes back: Drafts, their payloads, Receipts."""

import dataclasses
import datetime as dt
import re
from typing import Final

from holdfast.errors import LedgerError
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger import fields, record
from holdfast.ledger.shape import TEXT_CHARS_MAX

PAYLOAD_BYTES_MAX: Final = 16 * 1024 * 1024  # a masked body may be some times longer than the 4 MiB it came as
_CONTENT_TYPE: Final = re.compile(r"[\x20-\x7e]{1,200}")
_STAND_IN: Final = "hmac-sha256:" + "0" * 64


@dataclasses.dataclass(frozen=True, slots=True)
class Payload:
    """Masked bytes that a Record commits to, and their content type."""

    content_type: str
    data: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Use:
    """The use of an Approval. The ledger takes each pair once, for ever."""

    approval_id: str
    use_no: int


@dataclasses.dataclass(frozen=True, slots=True)
class Draft:
    """A Record before it has a place: its typ, body and payloads, by the member that will hold their commitment.

    ``use`` consumes an Approval in the same transaction; only a ``call`` with ``appr.id`` and ``appr.use`` carries one.
    """

    typ: str
    body: JsonObject = dataclasses.field(repr=False)
    payloads: dict[str, Payload] = dataclasses.field(default_factory=dict, repr=False)
    use: Use | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """A durable Record: its index, id, leaf hash and time."""

    index: int
    id: str
    leaf_hex: str
    at: dt.datetime


def prepare(draft: Draft) -> JsonObject:
    """The body with a stand-in for each commitment, checked: what the writer completes.

    Raises:
        LedgerError: the Draft does not have the form of its typ; names the member.
    """
    body = dict(draft.body)
    for name, payload in draft.payloads.items():
        _check_payload(draft.typ, name, payload)
        given = body.get(name, {})
        if not isinstance(given, dict) or not given.keys().isdisjoint(("c", "bytes", "ct")):
            raise LedgerError(f"{draft.typ}.{name}: c, bytes and ct are the writer's to fill in")
        body[name] = {**given, "c": _STAND_IN, "bytes": len(payload.data), "ct": payload.content_type}
    for name in fields.PAYLOAD_MEMBERS:
        if name in body and name not in draft.payloads:
            raise LedgerError(f"{draft.typ}.{name} has no payload")
    record.check_body(draft.typ, body)
    if use_in(draft.typ, body) != draft.use:
        raise LedgerError(f"{draft.typ}: a call with appr.use carries exactly that Use, and nothing else carries one")
    return body


def _check_payload(typ: str, name: str, payload: Payload) -> None:
    if name not in fields.PAYLOAD_MEMBERS:
        raise LedgerError(f"{typ}: a payload is one of {', '.join(fields.PAYLOAD_MEMBERS)}")
    if len(payload.data) > PAYLOAD_BYTES_MAX:
        raise LedgerError(f"{typ}.{name} has {len(payload.data)} bytes; at most {PAYLOAD_BYTES_MAX} are kept")
    if _CONTENT_TYPE.fullmatch(payload.content_type) is None:
        raise LedgerError(f"{typ}.{name}: the content type is not short printable ASCII")


def use_in(typ: Json, body: JsonObject) -> Use | None:
    """The use of an Approval that a Record states, if it is one."""
    appr = body.get("appr")
    if typ != "call" or not isinstance(appr, dict) or "use" not in appr:
        return None
    approval_id, use_no = appr.get("id"), appr["use"]
    if not isinstance(approval_id, str) or len(approval_id) > TEXT_CHARS_MAX or not isinstance(use_no, int):
        raise LedgerError("call.appr: id and use are text and an integer")
    return Use(approval_id, use_no)
