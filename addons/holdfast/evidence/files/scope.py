"""What a package is about: which ledger, from which Checkpoint to which, made with what."""

import base64
import dataclasses

from holdfast import __version__, jsontext
from holdfast.errors import EvidenceError
from holdfast.evidence.files.withheld import parse_words
from holdfast.jsontext import JsonObject
from holdfast.ledger.note import SIZE_MAX
from holdfast.ledger.tree import HASH_BYTES

FORMAT = "holdfast-evidence/2"


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """A Checkpoint without its signature: size of the ledger and root of its tree (32 raw bytes)."""

    size: int
    root: bytes

    @property
    def root_text(self) -> str:
        """The root as base64, the spelling of checkpoints."""
        return base64.b64encode(self.root).decode("ascii")


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """The Records ``start.size`` to ``end.size - 1`` of the ledger ``origin``.

    ``asked_from`` and ``asked_to`` are the times that were asked for, as text, empty where none was. ``rules`` are the
    files (name to SHA-256) of every rule set in force in the range, by the rule set's digest. ``selection`` says in
    words what was asked to be withheld, ``withheld_count`` how many Records are; ``controls`` names controls asked for.
    """

    origin: str
    key_id: str
    start: Mark
    end: Mark
    asked_from: str
    asked_to: str
    rules: dict[str, dict[str, str]]
    selection: tuple[str, ...] = ()
    withheld_count: int = 0
    controls: tuple[str, ...] = ()
    built_with: str = __version__

    def as_json(self) -> bytes:
        """`AuditInfo.json`."""
        rules: JsonObject = {digest: dict(files) for digest, files in sorted(self.rules.items())}
        return (
            jsontext.canonical(
                {
                    "format": FORMAT,
                    "origin": self.origin,
                    "key_id": self.key_id,
                    "start": {"size": self.start.size, "root": self.start.root_text},
                    "end": {"size": self.end.size, "root": self.end.root_text},
                    "asked": {"from": self.asked_from, "to": self.asked_to, "selection": [*self.selection]},
                    "controls": [*self.controls],
                    "records": {
                        "first": self.start.size,
                        "count": self.end.size - self.start.size,
                        "withheld": self.withheld_count,
                    },
                    "rules": rules,
                    "built_with": self.built_with,
                }
            )
            + b"\n"
        )


def parse_scope(data: bytes) -> Scope:
    """The inverse of :meth:`Scope.as_json`, strict.

    Raises:
        EvidenceError: any other spelling, or another format.
    """
    try:
        scope = _scope(jsontext.parse(data))
    except (jsontext.JsonError, KeyError, TypeError, ValueError, AttributeError):
        raise EvidenceError("AuditInfo.json: not the description of a package") from None
    if not scope.start.size < scope.end.size:
        raise EvidenceError("AuditInfo.json: a range of no Records")
    if scope.as_json() != data:
        raise EvidenceError("AuditInfo.json: not in canonical form, or of another format")
    parse_words(scope.selection)
    return scope


def _scope(value: jsontext.Json) -> Scope:
    if not isinstance(value, dict):
        raise TypeError
    rules = _object(value["rules"])
    asked = _object(value["asked"])
    return Scope(
        origin=_text(value["origin"]),
        key_id=_text(value["key_id"]),
        start=_mark(value["start"]),
        end=_mark(value["end"]),
        asked_from=_text(asked["from"]),
        asked_to=_text(asked["to"]),
        rules={digest: {name: _text(item) for name, item in _object(files).items()} for digest, files in rules.items()},
        selection=tuple(_text(item) for item in _list(asked["selection"])),
        withheld_count=_count(_object(value["records"])["withheld"]),
        controls=tuple(_text(item) for item in _list(value["controls"])),
        built_with=_text(value["built_with"]),
    )


def _mark(value: jsontext.Json) -> Mark:
    members = _object(value)
    root = base64.b64decode(_text(members["root"]), validate=True)
    if len(root) != HASH_BYTES:
        raise TypeError
    return Mark(_count(members["size"]), root)


def _count(value: jsontext.Json) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= SIZE_MAX:
        raise TypeError
    return value


def _list(value: jsontext.Json) -> list[jsontext.Json]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _object(value: jsontext.Json) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _text(value: jsontext.Json) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
