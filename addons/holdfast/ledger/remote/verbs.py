"""What a process may ask of a ledger that another process has open, and how each request is done.

::

    hello                              -> what the ledger is, and how the asker finds it
    append   drafts                    -> receipts     payload: what the Drafts commit to
    put      media                     -> sha256       payload: the object
    publish                            -> head
    records  start, end                -> lengths      payload: Records, one after the other
    sign     type                      -> vkey         payload: what to sign; the answer's payload is the signature
    erase    commitments, basis, reason, before, retention -> receipts
    rotate   overlap_s, reason         -> vkey

No verb changes or deletes a Record. `erase` deletes payloads and says so in a Record first.
"""

import asyncio
import dataclasses
import enum
import pwd
from pathlib import Path
from typing import Final, cast

from holdfast.approval.dsse import pae
from holdfast.approval.statement import PAYLOAD_TYPE, parse_statement
from holdfast.errors import ApprovalError, LedgerError
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Draft
from holdfast.ledger.opening import Previous
from holdfast.ledger.reader import open_reader
from holdfast.ledger.remote import wire
from holdfast.ledger.remote.access import Writable
from holdfast.ledger.remote.wire import Frame
from holdfast.ledger.running import ADMINISTRATIVE, backwards, gateway_stopped

CHUNK_BYTES_MAX: Final = 1024 * 1024  # of Records in one answer: an asker that is slow holds back no more than this
_CHUNK_COUNT: Final = 1000
_WRITTEN_BY_THE_LEDGER: Final = frozenset(("ledger.genesis", "ledger.rotated", "payload.erased"))
_OF_A_PROCESS: Final = frozenset(("ledger.start", "ledger.stop"))


class Role(enum.Enum):
    """What a peer may do; its user id decides."""

    KEEPER = "keeper"  # the owner of a writer that runs apart, and root: everything
    GATEWAY = "gateway"  # a user that was allowed to append
    OPERATOR = "operator"  # the owner of a gateway that writes its ledger itself, and root: what commands need


_VERBS: Final = {
    Role.GATEWAY: frozenset(("hello", "append", "put", "publish", "records", "sign")),
    Role.KEEPER: frozenset(("hello", "append", "put", "publish", "records", "sign", "erase", "rotate")),
    Role.OPERATOR: frozenset(("hello", "append", "put", "publish", "records", "erase", "rotate")),
}


class Verbs:
    """Does what peers ask on the ``ledger`` in ``directory``."""

    def __init__(self, ledger: Writable, directory: Path) -> None:
        self._ledger: Final = ledger
        self._directory: Final = directory

    def told(self) -> JsonObject:
        """What every peer is told of the ledger, and told again when it changes."""
        return {"head": wire.head_out(self._ledger.head()), "vkey": self._ledger.verifier().to_text()}

    async def answer(self, frame: Frame, role: Role, uid: int) -> tuple[JsonObject, bytes]:
        """The members and payload of the answer to one request of user ``uid``.

        Raises:
            LedgerError: the request is not permitted or not acceptable, or it cannot be done; in the ledger's words.
        """
        verb = frame.header.get("verb")
        if not isinstance(verb, str) or verb not in _VERBS[role]:
            raise LedgerError("this user may not ask that of the ledger, or there is no such request")
        asked = {name: value for name, value in frame.header.items() if name not in ("id", "verb")}
        match verb, asked:
            case "append", {"drafts": listed, **rest} if not rest:
                return await self._append(listed, frame.payload, role, uid)
            case "put", {"media": str(media), **rest} if not rest:
                return {"sha256": await self._ledger.put_object(media, frame.payload)}, b""
            case "sign", {"type": str(payload_type), **rest} if not rest:
                signature = self._sign(payload_type, frame.payload)
                return {"vkey": self._ledger.verifier().to_text()}, signature
            case _ if frame.payload:
                raise LedgerError("this request has no payload")
            case "hello", {"version": wire.VERSION, **rest} if not rest:
                return await self._hello(role), b""
            case "publish", {**rest} if not rest:
                return {"head": wire.head_out(await self._ledger.publish())}, b""
            case "records", {"start": int(start), "end": int(end), **rest} if not rest and 0 <= start <= end:
                return await asyncio.to_thread(self._records, start, end)
            case _:
                return await self._administer(verb, asked, uid)

    async def _administer(self, verb: Json, asked: JsonObject, uid: int) -> tuple[JsonObject, bytes]:
        match verb, asked:
            case "erase", _:
                return await self._erase(asked, uid)
            case "rotate", {"overlap_s": int(overlap_s), "reason": str(reason), **rest} if not rest:
                rotate, operator = self._ledger.rotate_blocking, operator_of(uid)
                key = await asyncio.to_thread(rotate, overlap_s=overlap_s, reason=reason, operator=operator)
                return {"vkey": key.to_text()}, b""
            case _:
                raise LedgerError("the request has not exactly the members of its verb")

    async def _hello(self, role: Role) -> JsonObject:
        # Signed over everything there is, so that the asker's first Record can say what it found.
        head = await self._ledger.publish()
        previous = await asyncio.to_thread(self._previous, head.size, head.root.hex())
        found: JsonObject = {"previous": wire.previous_out(previous), "head": wire.head_out(head)}
        return {"version": wire.VERSION, "role": role.value} | self.told() | found

    def _previous(self, size: int, root_hex: str) -> Previous:
        with open_reader(self._directory) as reader:
            return Previous(size, root_hex, clean=gateway_stopped(backwards(reader.record, size)), last_at=None)

    async def _append(self, listed: Json, payload: bytes, role: Role, uid: int) -> tuple[JsonObject, bytes]:
        drafts = [_permitted(draft, role, uid) for draft in wire.drafts_in(listed, payload)]
        return {"receipts": wire.receipts_out(await self._ledger.append(*drafts))}, b""

    def _sign(self, payload_type: str, data: bytes) -> bytes:
        # Nothing but a well-formed statement about a token: not a checkpoint, and not in an approver's own name.
        start = pae(PAYLOAD_TYPE, b"")[:-2]
        length, space, statement = data.removeprefix(start).partition(b" ")
        if payload_type != PAYLOAD_TYPE or not data.startswith(start) or not space:
            raise LedgerError("the ledger's key signs checkpoints and statements of approval, nothing else")
        try:
            parsed = parse_statement(statement)
        except ApprovalError as error:
            raise LedgerError(f"what is to be signed is no statement of approval: {error}") from None
        if data != pae(PAYLOAD_TYPE, statement) or length != b"%d" % len(statement):
            raise LedgerError("what is to be signed is not in DSSE's encoding")
        if parsed.token_digest_hex is None:
            raise LedgerError("the ledger's key vouches for a token; this statement names none")
        return self._ledger.sign_statement(payload_type, data)

    def _records(self, start: int, end: int) -> tuple[JsonObject, bytes]:
        entries: list[bytes] = []
        size = 0
        with open_reader(self._directory) as reader:
            for _, entry in reader.records(start, min(end, start + _CHUNK_COUNT)):
                size += len(entry)
                if entries and size > CHUNK_BYTES_MAX:
                    break
                entries.append(entry)
        return {"lengths": [len(entry) for entry in entries]}, b"".join(entries)

    async def _erase(self, asked: JsonObject, uid: int) -> tuple[JsonObject, bytes]:
        match asked:
            case {
                "commitments": list(commitments),
                "basis": "request" | "retention" as basis,
                "reason": str(reason),
                "before": None | str() as before,
                "retention": None | str() as retention,
                **rest,
            } if not rest and all(isinstance(one, str) for one in commitments):
                receipts = await asyncio.to_thread(
                    self._ledger.erase_blocking,
                    cast("list[str]", commitments),
                    basis=basis,
                    reason=reason,
                    operator=operator_of(uid),
                    before=before,
                    retention=retention,
                )
                return {"receipts": wire.receipts_out(receipts)}, b""
            case _:
                raise LedgerError("the request has not exactly the members of its verb")


def _permitted(draft: Draft, role: Role, uid: int) -> Draft:
    if draft.typ in _WRITTEN_BY_THE_LEDGER:
        raise LedgerError(f"{draft.typ}: only the ledger itself writes this")
    if role is Role.GATEWAY and draft.typ in ADMINISTRATIVE:
        raise LedgerError(f"{draft.typ}: this user may not write this")
    if role is Role.OPERATOR and draft.typ not in ADMINISTRATIVE:
        raise LedgerError(f"{draft.typ}: the gateway that has the ledger open writes this itself")
    # Without the member a start or stop speaks for both processes, so a gateway could hide that the writer crashed.
    if draft.body.get("process") == "writer" or (draft.typ in _OF_A_PROCESS and draft.body.get("process") != "gateway"):
        raise LedgerError(f"{draft.typ}: only the writer speaks for itself; a gateway's has process: gateway")
    if "operator" not in draft.body:
        return draft
    # Who asks is the system's to say, not the message's.
    return dataclasses.replace(draft, body=draft.body | {"operator": operator_of(uid)})


def operator_of(uid: int) -> JsonObject:
    """The member ``operator`` for a user id that the system vouches for."""
    try:
        return {"uid": uid, "name": pwd.getpwuid(uid).pw_name}
    except KeyError:
        return {"uid": uid}
