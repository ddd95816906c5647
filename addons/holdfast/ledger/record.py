"""Records, schema version 1: which members each typ has, and the exact bytes. FORMAT.md; standard library only."""

import base64
import dataclasses
import datetime as dt
import hashlib
import hmac
import json
import uuid
from typing import Final

from holdfast import jsontext
from holdfast.clock import utc_text
from holdfast.errors import LedgerError
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger import fields
from holdfast.ledger.shape import Field, ListOf, Members

VERSION: Final = 1
RECORD_BYTES_MAX: Final = 16 * 1024  # tlog-tiles would allow 65,535; a Record is metadata, content is a payload
SALT_BYTES: Final = 16
COMMITMENT_KEY_BYTES: Final = 32
_COMMITMENT_DOMAIN: Final = b"holdfast/payload/v1\x00"


@dataclasses.dataclass(frozen=True, slots=True)
class Kind:
    """One typ: the members it must and may have, and when it is written."""

    meaning: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


# What any Record about a message may say besides.
_MESSAGE: Final = (
    *("call", "ref", "sid", "rpc", "who", "src", "dst", "mcp", "dec", "rules", "mask", "appr", "out", "gw"),
    *fields.PAYLOAD_MEMBERS,
)

KINDS: Final = {
    "ledger.genesis": Kind(
        "the first Record of a ledger, or of a new epoch after a loss", ("gw",), ("abandoned", "reason", "operator")
    ),
    "ledger.start": Kind("the gateway started", ("gw", "prev", "clean"), ("rules", "missed", "process")),
    "ledger.stop": Kind("the gateway stopped in order", (), ("counters", "reason", "gw", "rules", "process")),
    "ledger.heartbeat": Kind("the gateway is alive", ("counters",), ("gw", "rules")),
    "ledger.rotated": Kind("a new key signs from here on", ("keys",), ("reason", "operator", "gw")),
    "payload.erased": Kind(
        "payloads are erased after this; their Records stay",
        ("erased", "basis", "reason"),
        ("operator", "before", "retention"),
    ),
    "witness.down": Kind("a witness or time stamp is overdue", ("witness", "reason"), ("head", "since", "cause")),
    "witness.up": Kind("it vouches again", ("witness",), ("head", "since")),
    "evidence.exported": Kind("an evidence package was built", ("export",), ("operator", "reason")),
    "rules.loaded": Kind("a Ruleset came into force", ("rules", "files"), ("previous", "engine", "gw")),
    "session.opened": Kind("an MCP session began", ("sid",), (*_MESSAGE, "counters")),
    "session.closed": Kind("an MCP session ended", ("sid",), (*_MESSAGE, "counters", "reason")),
    "stream.opened": Kind("a client opened a stream for what the server sends on its own", (), _MESSAGE),
    "stream.closed": Kind("that stream ended", ("reason",), _MESSAGE),
    "tool.defined": Kind(
        "a server described a tool, prompt or resource for the first time, or anew; `dec`: whether that is pinned",
        ("tool", "dst"),
        tuple(name for name in _MESSAGE if name != "dst"),
    ),
    "tool.screened": Kind(
        "a screen found something in a definition",
        ("tool", "dst", "dec"),
        tuple(name for name in _MESSAGE if name not in ("dst", "dec")),
    ),
    "tool.pinned": Kind("an operator accepted a definition", ("tool", "dst"), ("operator", "reason", "gw")),
    "call": Kind(
        "a Call was decided; if allowed, it goes out after this", ("call", "rpc", "dec"), (*_MESSAGE, "reason")
    ),
    "call.lost": Kind("a Call's Reply will never come", ("ref", "reason"), (*_MESSAGE, "cause", "rule")),
    "reply": Kind("a Reply came; it goes back after this", ("call", "ref", "out"), (*_MESSAGE, "reason")),
    "reply.part": Kind(
        "a part of a streamed Reply came; it goes back after this", ("call", "ref"), (*_MESSAGE, "bytes", "digest")
    ),
    "refused": Kind(
        "a request or message was refused", ("cause", "reason"), (*_MESSAGE, "rule", "bytes", "digest", "http")
    ),
    "hold.opened": Kind("a Call waits for its Approval", ("call", "appr", "dec"), (*_MESSAGE, "expires")),
    "approval": Kind(
        "a person decided on a Hold",
        ("appr", "decision", "assurance", "approver"),
        (*_MESSAGE, "reason"),
    ),
    "hold.closed": Kind("a Hold ended", ("appr", "outcome"), (*_MESSAGE, "reason")),
}

_BODY: Final = {field.name: field for field in fields.BODY}


def _members_of(kind: Kind) -> Members:
    required = [_BODY[name] for name in kind.required]
    rest = [_BODY[name] for name in kind.optional if name not in kind.required]
    return Members(*required, *(dataclasses.replace(field, is_required=False) for field in rest))


_BODIES: Final = {typ: _members_of(kind) for typ, kind in KINDS.items()}
_HEAD_NAMES: Final = tuple(field.name for field in fields.HEAD)


def check_body(typ: str, body: JsonObject) -> None:
    """Refuse a body that its typ does not have.

    Raises:
        LedgerError: unknown typ, a member missing, unknown or of the wrong shape; names the member, quotes no value.
    """
    members = _BODIES.get(typ)
    if members is None:
        raise LedgerError(f"unknown typ; expected one of {', '.join(KINDS)}")
    members.check(body, typ)


@dataclasses.dataclass(frozen=True, slots=True)
class Stamp:
    """What the writer adds to a body: place, time and randomness. ``salt`` and ``id_random`` are 16 and 10 bytes."""

    log: str
    index: int
    at: dt.datetime
    mono_ns: int
    boot: str
    salt: bytes
    id_random: bytes

    def record_id(self) -> str:
        """The UUIDv7 of RFC 9562 5.7: 48 bits of Unix milliseconds, the rest random."""
        epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        ms = max(0, (self.at - epoch) // dt.timedelta(milliseconds=1))
        bits = (ms & (1 << 48) - 1) << 80 | int.from_bytes(self.id_random, "big")
        bits = bits & ~(0xF << 76) | 0x7 << 76
        bits = bits & ~(0x3 << 62) | 0x2 << 62
        return str(uuid.UUID(int=bits))


def encode(stamp: Stamp, typ: str, body: JsonObject) -> tuple[str, bytes]:
    """The Record's id, and its bytes, which are what the leaf hashes. The body has passed :func:`check_body`.

    Raises:
        LedgerError: the Record is too long, or refers to a Record that is not before it.
    """
    record_id = stamp.record_id()
    head: JsonObject = {
        "v": VERSION,
        "log": stamp.log,
        "n": stamp.index,
        "id": record_id,
        "typ": typ,
        "ts": utc_text(stamp.at),
        "mono": stamp.mono_ns,
        "boot": stamp.boot,
        "salt": base64.urlsafe_b64encode(stamp.salt).decode("ascii").rstrip("="),
    }
    _check_refs(stamp.index, body)
    try:
        entry = jsontext.canonical(head | body)
    except (ValueError, RecursionError):  # a lone surrogate has no UTF-8
        raise LedgerError(f"{typ}: a text has no UTF-8 form") from None
    if len(entry) > RECORD_BYTES_MAX:
        raise LedgerError(f"{typ}: the Record has {len(entry)} bytes; at most {RECORD_BYTES_MAX} are kept")
    return record_id, entry


def _check_refs(index: int, body: JsonObject) -> None:
    refs = body.get("ref")
    if isinstance(refs, list) and any(not isinstance(ref, int) or ref >= index for ref in refs):
        raise LedgerError("ref names a Record that is not before this one")


def decode(entry: bytes) -> JsonObject:
    """The Record that ``entry`` spells, checked in full: one spelling, every member known and of its shape.

    Raises:
        LedgerError: says what is wrong, without the index, which the caller knows.
    """
    if len(entry) > RECORD_BYTES_MAX:
        raise LedgerError(f"has {len(entry)} bytes; at most {RECORD_BYTES_MAX} are permitted")
    try:
        value: Json = json.loads(entry)
        # A member twice, another order, white space, another escape: all of them come out differently.
        is_canonical = isinstance(value, dict) and jsontext.canonical(value) == entry
    except (ValueError, RecursionError):
        raise LedgerError("is not JSON") from None
    if not isinstance(value, dict) or not is_canonical:
        raise LedgerError("is not canonical JSON")
    _check_head(value)
    typ = value["typ"]
    assert isinstance(typ, str)
    check_body(typ, {name: item for name, item in value.items() if name not in _HEAD_NAMES})
    _check_refs(_index_of(value), value)
    return value


def _check_head(value: JsonObject) -> None:
    for field in fields.HEAD:
        if field.name not in value:
            raise LedgerError(f"{field.name} is missing")
        field.shape.check(value[field.name], field.name)
    if value["v"] != VERSION:
        raise LedgerError(f"v: expected {VERSION}")


def _index_of(value: JsonObject) -> int:
    index = value["n"]
    assert isinstance(index, int)
    return index


def commit(key: bytes, content_type: str, data: bytes) -> str:
    """The commitment to a masked payload: keyed, so that erasing the key leaves nothing to guess against."""
    message = _COMMITMENT_DOMAIN + content_type.encode() + b"\x00" + data
    return "hmac-sha256:" + hmac.digest(key, message, "sha256").hex()


def object_digest(data: bytes) -> str:
    """The name of an object: SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def commitments_in(record: JsonObject) -> list[tuple[str, JsonObject]]:
    """Name and value of every payload member of a decoded Record."""
    found = ((name, record.get(name)) for name in fields.PAYLOAD_MEMBERS)
    return [(name, value) for name, value in found if isinstance(value, dict) and "c" in value]


def erased_by(record: JsonObject) -> list[str]:
    """The commitments that a decoded Record says are erased; none where it is of another typ."""
    erased = record.get("erased")
    if record.get("typ") != "payload.erased" or not isinstance(erased, list):
        return []
    return [str(commitment) for commitment in erased]


def documentation() -> list[tuple[str, str, str]]:
    """Every member as (dotted name, shape in words, meaning): the rows of `docs/records.md`."""
    return [row for field in (*fields.HEAD, *fields.BODY) for row in _rows("", field)]


def _rows(prefix: str, field: Field) -> list[tuple[str, str, str]]:
    name = prefix + field.name
    optional = "" if field.is_required or not prefix else ", optional"
    rows = [(name, field.shape.words + optional, field.meaning)]
    shape = field.shape.item if isinstance(field.shape, ListOf) else field.shape
    inner = shape.fields if isinstance(shape, Members) else ()
    return rows + [row for item in inner for row in _rows(f"{name}.", item)]
