"""Records with every member that their typ may have, each value telling whose it is."""

import datetime as dt
import itertools

from holdfast.clock import utc_text
from holdfast.evidence.files.entry import Entry, parse_entry
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger import fields, record
from holdfast.ledger.shape import (
    CODE,
    COMMITMENT,
    HEX_DIGEST,
    TIME,
    UUID,
    Boolean,
    Either,
    Integer,
    ListOf,
    MapOf,
    Members,
    OneOf,
    Shape,
    Text,
)

AT = dt.datetime(2026, 11, 22, 18, 0, 0, 250000, tzinfo=dt.UTC)
ORIGIN = "gw.example.com/ledger/n1"
# A call of a tool, as short as it may be.
MESSAGE: JsonObject = {
    "call": "00000000-0000-4000-8000-000000000007",
    "rpc": {"id": 7, "method": "tools/call", "dir": "to_server", "kind": "request"},
    "dec": {"effect": "allow", "rule": "support-reads"},
}
_BODY = {field.name: field for field in fields.BODY}


class _Maker:
    """Draws a different value for every member."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1000)

    def object(self, path: str, members: Members) -> JsonObject:
        return {field.name: self.value(f"{path}.{field.name}", field.shape) for field in members.fields}

    def value(self, path: str, shape: Shape) -> Json:
        number = next(self._numbers)
        texts = {CODE: path.lower(), UUID: f"00000000-0000-4000-8000-{number:012}", HEX_DIGEST: f"{number:064x}"}
        if shape in (TIME, COMMITMENT):
            return utc_text(AT + dt.timedelta(seconds=number)) if shape is TIME else f"hmac-sha256:{number:064x}"
        match shape:
            case Members():
                return self.object(path, shape)
            case ListOf():
                return [self.value(path, shape.item)] if path != "ref" else [3]
            case MapOf():
                return {"free": self.value(path, shape.item)}
            case Either():
                return self.value(path, shape.shapes[0])
            case OneOf():
                return shape.values[0]
            case Boolean():
                return True
            case Integer():
                return number
            case Text():
                return f"the {path}"
            case _:
                return next(text for one, text in texts.items() if one is shape)


def full_body(typ: str) -> JsonObject:
    """Every member that ``typ`` must and may have."""
    kind, maker = record.KINDS[typ], _Maker()
    names = [*kind.required, *(name for name in kind.optional if name not in kind.required)]
    return {name: maker.value(name, _BODY[name].shape) for name in names}


def entry_of(typ: str, body: JsonObject, index: int = 41) -> Entry:
    """The Record of ``body``, written and read as the ledger does."""
    stamp = record.Stamp(ORIGIN, index, AT, 123, "0b1e4b3c-6f8e-4d59-9d3a-1f2e3d4c5b6a", bytes(16), bytes(range(10)))
    record.check_body(typ, body)
    return parse_entry(index, record.encode(stamp, typ, body)[1])
