"""One Record as evidence reads it: the exact bytes of the leaf, and its members by name."""

import dataclasses
import datetime as dt
import json

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.files.times import parse_time
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger import record, spelling
from holdfast.ledger.fields import PAYLOAD_MEMBERS


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A Record with its place in the ledger. ``data`` are the leaf's bytes, ``body`` their parse."""

    index: int
    data: bytes
    body: JsonObject
    typ: str
    at: dt.datetime

    def text(self, *path: str) -> str:
        """The text (or number, as text) under ``path``; empty where there is none."""
        # Asked some ninety times of every Record: the common case first, and no call within.
        value: Json = self.body
        for name in path:
            value = value.get(name) if value.__class__ is dict else None
        if value.__class__ is str or value is None:
            return value or ""
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(value) if isinstance(value, int) else ""

    def number(self, *path: str) -> int | None:
        """The integer under ``path``; None where there is none."""
        value = self.member(*path)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, *path: str) -> bool | None:
        """The boolean under ``path``; None where there is none."""
        value = self.member(*path)
        return value if isinstance(value, bool) else None

    def texts(self, *path: str) -> tuple[str, ...]:
        """The texts of the list under ``path``; empty where there is none."""
        value = self.member(*path)
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()

    def counts(self, *path: str) -> dict[str, int]:
        """The whole numbers of the object under ``path``, by name."""
        value = self.member(*path)
        members = value if isinstance(value, dict) else {}
        return {
            name: count for name, count in members.items() if isinstance(count, int) and not isinstance(count, bool)
        }

    def refs(self) -> tuple[int, ...]:
        """The indices of the Records this one refers to."""
        value = self.body.get("ref")
        items = value if isinstance(value, list) else []
        return tuple(item for item in items if isinstance(item, int) and not isinstance(item, bool))

    def member(self, *path: str) -> Json:
        """Whatever stands under ``path``; None where nothing does."""
        value: Json = self.body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value


def parse_entry(index: int, data: bytes) -> Entry:
    """The Record that stands at ``index``, checked in full.

    Raises:
        EvidenceError: it is no Record of this schema, or calls itself by another index.
    """
    try:
        # What `spelling` vouches for has one spelling and the shape of its typ: all that is left is to read it.
        body: JsonObject = json.loads(data) if spelling.read(data) is not None else record.decode(data)
        at = parse_time(str(body["ts"]))
    except LedgerError as error:
        raise EvidenceError(f"record {index}: {error}") from None
    except ValueError:
        raise EvidenceError(f"record {index}: ts: no such time") from None
    if body["n"] != index:
        raise EvidenceError(f"record {index}: it calls itself record {body['n']}")
    return Entry(index, data, body, str(body["typ"]), at)


def payload_refs(entry: Entry) -> dict[str, tuple[str, int, str]]:
    """The payloads a Record commits to, by member name: commitment, size in bytes, content type."""
    found: dict[str, tuple[str, int, str]] = {}
    for name in PAYLOAD_MEMBERS:
        commitment, size = entry.text(name, "c"), entry.number(name, "bytes")
        if commitment and size is not None:
            found[name] = (commitment, size, entry.text(name, "ct"))
    return found
