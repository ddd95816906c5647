"""Frames on the ledger's socket, and what travels in them. docs/writer.md describes the protocol.

::

    4 bytes   length of the header, big-endian, at most 4 MiB
    4 bytes   length of the payload, big-endian, at most 64 MiB
    header    one JSON object; read strictly (holdfast.jsontext)
    payload   raw bytes: masked bodies, objects, Records, the bytes to sign

A request is ``{"id": N, "verb": V, ...}`` with N from 1, its answer ``{"id": N, "ok": {...}}`` or ``{"id": N, "error":
TEXT}``. Id 0 is the server's own word: ``{"id": 0, "head": {...}}``.
"""

import dataclasses
import datetime as dt
import re
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from holdfast import jsontext
from holdfast.clock import utc_parse, utc_text
from holdfast.errors import LedgerError
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Draft, Payload, Receipt, Use
from holdfast.ledger.opening import Head, Previous

VERSION: Final = 1
HEADER_BYTES_MAX: Final = 4 * 1024 * 1024  # 128 Drafts of 16 KiB make half of it
PAYLOAD_BYTES_MAX: Final = 64 * 1024 * 1024  # the masked messages of a batch; a whole group commit takes 16 MiB
_DEPTH_MAX: Final = jsontext.DEPTH_MAX + 8  # a Draft's body, wrapped
_PREFIX: Final = struct.Struct(">II")
_LEAF: Final = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True, slots=True)
class Frame:
    """One message, either way."""

    header: JsonObject
    payload: bytes = dataclasses.field(default=b"", repr=False)


def encode(header: JsonObject, payload: bytes = b"") -> bytes:
    """The bytes of a frame.

    Raises:
        LedgerError: it would be longer than a frame may be, or a text in it has no UTF-8 form.
    """
    try:
        text = jsontext.wire(header)
    except (ValueError, RecursionError):  # a lone surrogate
        raise LedgerError("a text has no UTF-8 form") from None
    if len(text) > HEADER_BYTES_MAX or len(payload) > PAYLOAD_BYTES_MAX:
        raise LedgerError("the request is longer than the ledger's socket takes")
    return _PREFIX.pack(len(text), len(payload)) + text + payload


class Splitter:
    """Cuts a stream of bytes into frames. What is malformed raises, and the connection is then of no more use."""

    def __init__(self) -> None:
        self._data = bytearray()

    @property
    def waiting_bytes(self) -> int:
        """How many bytes of an unfinished frame are kept."""
        return len(self._data)

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that ``data`` completes.

        Raises:
            LedgerError: a frame is too long, or its header is no JSON object.
        """
        self._data += data
        frames: list[Frame] = []
        start = 0
        while len(self._data) - start >= _PREFIX.size:
            header_bytes, payload_bytes = _PREFIX.unpack_from(self._data, start)
            # Judged before a byte of it is waited for.
            if header_bytes > HEADER_BYTES_MAX or payload_bytes > PAYLOAD_BYTES_MAX:
                raise LedgerError("a frame is longer than permitted")
            payload_at = start + _PREFIX.size + header_bytes
            end = payload_at + payload_bytes
            if len(self._data) < end:
                break
            header = bytes(self._data[start + _PREFIX.size : payload_at])
            frames.append(Frame(_header(header), bytes(self._data[payload_at:end])))
            start = end
        del self._data[:start]
        return frames


def _header(data: bytes) -> JsonObject:
    try:
        value = jsontext.parse(data, depth_max=_DEPTH_MAX)
    except jsontext.JsonError as error:
        raise LedgerError(f"a frame's header is no acceptable JSON: {error}") from None
    if not isinstance(value, dict):
        raise LedgerError("a frame's header is no JSON object")
    return value


def drafts_out(drafts: Sequence[Draft]) -> tuple[list[Json], bytes]:
    """Drafts as header members, and their payloads one after the other."""
    listed: list[Json] = []
    chunks: list[bytes] = []
    for draft in drafts:
        payloads: list[Json] = [[name, one.content_type, len(one.data)] for name, one in draft.payloads.items()]
        chunks += [one.data for one in draft.payloads.values()]
        use: Json = None if draft.use is None else [draft.use.approval_id, draft.use.use_no]
        listed.append({"typ": draft.typ, "body": draft.body, "payloads": payloads, "use": use})
    return listed, b"".join(chunks)


def drafts_in(listed: Json, data: bytes) -> tuple[Draft, ...]:
    """The inverse of :func:`drafts_out`; what a Draft must be is checked where it is appended.

    Raises:
        LedgerError: another form.
    """
    if not isinstance(listed, list):
        raise LedgerError("drafts: expected a list")
    drafts: list[Draft] = []
    start = 0
    for item in listed:
        match item:
            case {"typ": str(typ), "body": dict(body), "payloads": list(payloads), "use": use, **rest} if not rest:
                parts = dict(_payloads_in(payloads, data, start))
                if len(parts) != len(payloads):
                    raise LedgerError("drafts: a payload twice")
                start += sum(len(part.data) for part in parts.values())
                drafts.append(Draft(typ, body, parts, _use_in(use)))
            case _:
                raise LedgerError("drafts: expected typ, body, payloads and use")
    if start != len(data):
        raise LedgerError("drafts: the payloads are not as long as they say")
    return tuple(drafts)


def _payloads_in(listed: list[Json], data: bytes, start: int) -> Iterator[tuple[str, Payload]]:
    for item in listed:
        match item:
            case [str(name), str(content_type), int(length)] if 0 <= length <= len(data) - start:
                yield name, Payload(content_type, data[start : start + length])
                start += length
            case _:
                raise LedgerError("drafts: a payload has a name, a content type and a length")


def _use_in(value: Json) -> Use | None:
    match value:
        case None:
            return None
        case [str(approval_id), int(use_no)] if not isinstance(use_no, bool):
            return Use(approval_id, use_no)
        case _:
            raise LedgerError("drafts: use has an id and a number")


def receipts_out(receipts: Sequence[Receipt]) -> list[Json]:
    """Receipts as header members."""
    return [[one.index, one.id, one.leaf_hex, utc_text(one.at)] for one in receipts]


def receipts_in(listed: Json) -> tuple[Receipt, ...]:
    """The inverse of :func:`receipts_out`.

    Raises:
        LedgerError: another form.
    """
    found: list[Receipt] = []
    for item in listed if isinstance(listed, list) else [None]:
        match item:
            case [int(index), str(record_id), str(leaf), str(at)] if index >= 0 and _LEAF.fullmatch(leaf):
                found.append(Receipt(index, record_id, leaf, _time(at)))
            case _:
                raise LedgerError("the writer answered with no Receipt")
    return tuple(found)


def head_out(head: Head) -> JsonObject:
    """A signed checkpoint as header members."""
    return {"size": head.size, "root": head.root.hex(), "note": head.note}


def head_in(value: Json) -> Head:
    """The inverse of :func:`head_out`.

    Raises:
        LedgerError: another form.
    """
    match value:
        case {"size": int(size), "root": str(root), "note": str(text)} if size >= 0 and _LEAF.fullmatch(root):
            return Head(size, bytes.fromhex(root), text)
        case _:
            raise LedgerError("the writer answered with no checkpoint")


def previous_out(previous: Previous) -> JsonObject:
    """How a ledger was found, as header members."""
    last_at = None if previous.last_at is None else utc_text(previous.last_at)
    return {"size": previous.size, "root": previous.root_hex, "clean": previous.clean, "last_at": last_at}


def previous_in(value: Json) -> Previous:
    """The inverse of :func:`previous_out`.

    Raises:
        LedgerError: another form.
    """
    match value:
        case {"size": int(size), "root": str(root), "clean": bool(clean), "last_at": None | str() as last_at} if (
            size >= 0 and _LEAF.fullmatch(root)
        ):
            return Previous(size, root, clean, None if last_at is None else _time(last_at))
        case _:
            raise LedgerError("the writer does not say how it found the ledger")


def _time(text: str) -> dt.datetime:
    try:
        return utc_parse(text)
    except ValueError:
        raise LedgerError("the writer answered with no time") from None
