"""What retention rules and legal holds ask about one Record."""

import dataclasses
import datetime as dt

from holdfast.clock import utc_parse
from holdfast.jsontext import Json, JsonObject


@dataclasses.dataclass(frozen=True, slots=True)
class Subject:
    """A Record as retention sees it. None and empty: the Record does not say.

    ``callers`` are all names by which a Caller can be meant: subject, name, and whoever acts for whom.
    """

    typ: str
    at: dt.datetime
    callers: tuple[str, ...]
    server: str | None
    tool: str | None

    @classmethod
    def of(cls, record: JsonObject) -> "Subject":
        """What a decoded Record says."""
        return cls(
            typ=str(record["typ"]),
            at=utc_parse(str(record["ts"])),
            callers=tuple(_callers(record.get("who"))),
            server=_text(record, "dst", "server"),
            tool=_text(record, "mcp", "name"),
        )


def _callers(who: Json) -> list[str]:
    if not isinstance(who, dict):
        return []
    act = who.get("act")
    # An actor is written as issuer, bar, subject.
    actors = [str(actor).rpartition("|")[2] for actor in act] if isinstance(act, list) else []
    return [value for value in (who.get("sub"), who.get("name"), *actors) if isinstance(value, str) and value]


def _text(record: JsonObject, member: str, name: str) -> str | None:
    value = record.get(member)
    text = value.get(name) if isinstance(value, dict) else None
    return text if isinstance(text, str) else None
