"""What the answers of a ledger's writer say: read as strictly as anything else that comes from another process."""

from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger import note
from holdfast.ledger.draft import Receipt
from holdfast.ledger.opening import Head
from holdfast.ledger.remote import wire
from holdfast.ledger.remote.wire import Frame


def answer(frame: Frame) -> Frame:
    """The answer in a frame: its members and payload.

    Raises:
        LedgerError: the server said no, in its words; or it is no answer.
    """
    match frame.header:
        case {"id": int(), "ok": dict(members), **rest} if not rest:
            return Frame(members, frame.payload)
        case {"id": int(), "error": str(text), **rest} if not rest:
            raise LedgerError(text)
        case _:
            raise LedgerError("the writer answered with something else than an answer")


def receipts(frame: Frame) -> tuple[Receipt, ...]:
    """The answer to `append` and `erase`."""
    return wire.receipts_in(frame.header.get("receipts"))


def head(frame: Frame) -> Head:
    """The answer to `publish`."""
    return head_in(frame.header)


def head_in(header: JsonObject) -> Head:
    """The checkpoint that a header carries."""
    return wire.head_in(header.get("head"))


def vkey(frame: Frame) -> note.VerifierKey:
    """The answer to `rotate`."""
    return vkey_in(frame.header)


def vkey_in(header: JsonObject) -> note.VerifierKey:
    """The key that a header carries: the one that signs now."""
    value = header.get("vkey")
    if not isinstance(value, str):
        raise LedgerError("the writer does not say which key it signs with")
    return note.parse_vkey(value)


def sha256(frame: Frame) -> str:
    """The answer to `put`."""
    value = frame.header.get("sha256")
    if not isinstance(value, str):
        raise LedgerError("the writer answered with no digest")
    return value


def entries(frame: Frame) -> list[bytes]:
    """The answer to `records`."""
    lengths = frame.header.get("lengths")
    found: list[bytes] = []
    start = 0
    for length in lengths if isinstance(lengths, list) else [-1]:
        if not isinstance(length, int) or not 0 <= length <= len(frame.payload) - start:
            raise LedgerError("the writer answered with no Records")
        found.append(frame.payload[start : start + length])
        start += length
    return found
