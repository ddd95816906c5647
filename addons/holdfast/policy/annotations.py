"""What an MCP server says about a tool: hints, from a server that may be wrong or lie.

MCP 2025-11-25 schema, ToolAnnotations: readOnlyHint false, destructiveHint true, idempotentHint false and openWorldHint
true are what holds where the server says nothing; destructiveHint means something for tools that write only.
"""

import dataclasses

from holdfast.jsontext import Json


@dataclasses.dataclass(frozen=True, slots=True)
class Annotations:
    """The hints of one tool. ``stated`` is whether the server gave any of the two that tell risk."""

    read_only: bool = False
    destructive: bool = True
    idempotent: bool = False
    open_world: bool = True
    stated: bool = False


UNKNOWN = Annotations()  # a tool that no listing showed, or one without hints


def parse_annotations(value: Json) -> Annotations:
    """The hints in ``value``, the ``annotations`` member of a tool; whatever is no true or false counts as unsaid.

    A tool that is said to be both read-only and destructive counts as destructive.
    """
    hints = value if isinstance(value, dict) else {}
    read_only = hints.get("readOnlyHint") is True
    said_destructive = hints.get("destructiveHint")
    destructive = said_destructive if isinstance(said_destructive, bool) else not read_only
    return Annotations(
        read_only=read_only and not destructive,
        destructive=destructive,
        idempotent=hints.get("idempotentHint") is True,
        open_world=hints.get("openWorldHint") is not False,
        stated=isinstance(hints.get("readOnlyHint"), bool) or isinstance(said_destructive, bool),
    )
