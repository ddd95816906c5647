"""How the values at a known place of a message are treated."""

import dataclasses
import enum
from collections.abc import Mapping


class Mode(enum.Enum):
    """How the values at a place are treated."""

    DATA = "data"  # scanned; masks travel as the rules say
    PROTOCOL = "protocol"  # scanned; masks are kept, and never travel
    SCHEMA = "schema"  # JSON Schema: descriptions are data, structure is protocol
    BLOB = "blob"  # base64: text inside is data, images and sound are left alone
    URL = "url"  # an address; of one that holds its content (data:), that is a blob


@dataclasses.dataclass(frozen=True, slots=True)
class Shape:
    """The known members of an object, and how the others are treated. An array has the shape of its items.

    With ``types``, an object counts as this shape only if its member ``type`` is one of them; else it is data.
    ``each`` is the shape of every member, where their names are free (a map of requests by id).
    """

    members: Mapping[str, "Mode | str"] = dataclasses.field(default_factory=dict)
    types: frozenset[str] | None = None
    each: str | None = None


def protocol(names: str) -> dict[str, Mode | str]:
    """The members with these names, as fields that the protocol reads."""
    return dict.fromkeys(names.split(), Mode.PROTOCOL)
