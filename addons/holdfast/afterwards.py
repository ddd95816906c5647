"""What the last run of the gateway left open: calls without an answer, and sessions that go on."""

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Final

from holdfast import jsontext
from holdfast.errors import Cause
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Draft

SCAN_RECORDS_MAX: Final = 200_000  # about two seconds at start; sessions and calls older than that are forgotten

_NOBODY: Final = ("", "")


@dataclasses.dataclass(frozen=True, slots=True)
class OpenCall:
    """A Call whose Record is there and whose Reply is not."""

    index: int
    body: JsonObject


@dataclasses.dataclass(frozen=True, slots=True)
class LeftOpen:
    """What was open when the last run ended; ``sessions`` are digests with their owner's ``(iss, sub)``, in order."""

    calls: tuple[OpenCall, ...]
    sessions: tuple[tuple[str, tuple[str, str]], ...]


def left_open(records: Callable[[int, int], Iterator[tuple[int, bytes]]], size: int) -> LeftOpen:
    """Read the end of a ledger that has ``size`` Records; ``records`` reads them from one index to before another.

    Raises:
        LedgerError: the ledger cannot be read.
    """
    calls: dict[int, OpenCall] = {}
    sessions: dict[str, tuple[str, str]] = {}
    if size == 0:
        return LeftOpen((), ())
    for index, entry in records(max(0, size - SCAN_RECORDS_MAX), size):
        body = jsontext.parse(entry)
        if isinstance(body, dict):
            _follow(index, body, calls, sessions)
    owned = tuple((digest, owner) for digest, owner in sessions.items() if owner != _NOBODY)
    return LeftOpen(tuple(calls.values()), owned)


def _follow(index: int, body: JsonObject, calls: dict[int, OpenCall], sessions: dict[str, tuple[str, str]]) -> None:
    refs = body.get("ref")
    match body.get("typ"):
        case "call" if _member(body, "rpc", "kind") == "request":
            calls[index] = OpenCall(index, body)
        case "reply" | "call.lost":
            for ref in refs if isinstance(refs, list) else []:
                if isinstance(ref, int):
                    calls.pop(ref, None)
        case "session.opened":
            owner = (str(_member(body, "who", "iss")), str(_member(body, "who", "sub")))
            # One that two Callers opened is nobody's.
            if sessions.setdefault(str(body.get("sid")), owner) != owner:
                sessions[str(body.get("sid"))] = _NOBODY
        case "session.closed":
            sessions.pop(str(body.get("sid")), None)
        case _:
            pass


def _member(body: JsonObject, name: str, inner: str) -> Json:
    member = body.get(name)
    return member.get(inner) if isinstance(member, dict) else None


def lost_drafts(calls: tuple[OpenCall, ...], reason: str) -> list[Draft]:
    """The Records that say these calls will get no Reply."""
    return [Draft("call.lost", _lost_body(call, reason), {}, None) for call in calls]


def _lost_body(call: OpenCall, reason: str) -> JsonObject:
    shared: JsonObject = {k: call.body[k] for k in ("call", "rpc", "who", "dst", "mcp", "sid") if k in call.body}
    return {**shared, "ref": [call.index], "reason": reason, "cause": Cause.UNAVAILABLE.value}


def in_groups(drafts: list[Draft], size: int = 64) -> list[tuple[Draft, ...]]:
    """``drafts`` in groups that one append takes."""
    return [tuple(group) for group in itertools.batched(drafts, size, strict=False)]
