"""How an MCP message looks in mitmweb: as a person reads it, and masked, since the flow never held anything else."""

from collections.abc import Mapping
from typing import Final

from mitmproxy import contentviews, ctx, http
from mitmproxy.contentviews import Contentview, Metadata

from holdfast import jsontext
from holdfast.jsontext import Json

_FIRST: Final = ("decision", "rule", "method", "tool", "caller", "findings", "record", "reply", "cause", "status")
FLOWS_MAX: Final = 1000  # about 10 MB with 1 KB messages; the ledger has all of them
_SPARE: Final = 100  # removed at once, so that the list is not walked for every exchange
_PRIORITY: Final = 10.0  # mitmproxy's own views have at most 2


class McpView(Contentview):
    """Method, tool, caller, decision, findings and Record index, then the message."""

    name = "MCP (Holdfast)"
    syntax_highlight = "yaml"

    def prettify(self, data: bytes, metadata: Metadata) -> str:
        """The note of the flow and the masked message, one value a line."""
        lines = [f"{key}: {value}" for key, value in _note(metadata)]
        for part in data.splitlines() or [b""]:
            if part:
                lines += ["", *_message(part)]
        return "\n".join(lines)

    def render_priority(self, data: bytes, metadata: Metadata) -> float:
        """High for what passed the gate; -1 for anything else."""
        return _PRIORITY if _note(metadata) else -1


def _note(metadata: Metadata) -> list[tuple[str, str]]:
    flow = metadata.flow
    if not isinstance(flow, http.HTTPFlow):
        return []
    stated: Mapping[str, object] = flow.metadata
    found = [(key, stated.get(f"holdfast.{key}")) for key in _FIRST]
    return [(key, value) for key, value in found if isinstance(value, str) and value]


def _message(part: bytes) -> list[str]:
    try:
        value = jsontext.parse(part)
    except jsontext.JsonError:
        return ["(not JSON)"]
    lines: list[str] = []
    _spell(value, 0, "", lines)
    return lines


def _spell(value: Json, depth: int, lead: str, lines: list[str]) -> None:
    indent = "  " * depth
    match value:
        case dict() if value:
            if lead:
                lines.append(f"{indent}{lead}")
            for key, item in value.items():
                _spell(item, depth + bool(lead), f"{key}:", lines)
        case list() if value:
            if lead:
                lines.append(f"{indent}{lead}")
            for item in value:
                _spell(item, depth + bool(lead), "-", lines)
        case str() if "\n" in value:
            lines.append(f"{indent}{lead} |")
            lines.extend(f"{indent}  {line}" for line in value.splitlines())
        case str():
            lines.append(f"{indent}{lead} {value}")
        case _:
            lines.append(f"{indent}{lead} {jsontext.wire(value).decode()}")


def register() -> None:
    """Make the view known to mitmproxy; its name and priority decide when it is shown."""
    contentviews.add(McpView)


class BoundedList:
    """Keeps mitmweb's list of flows from growing without end: the oldest that are done leave first."""

    name = "holdfast-bounded-list"

    def response(self, flow: http.HTTPFlow) -> None:
        """Make room after an exchange."""
        self._trim()

    def error(self, flow: http.HTTPFlow) -> None:
        """Make room after an exchange that failed."""
        self._trim()

    def _trim(self) -> None:
        listed = ctx.master.addons.get("view")
        flows: list[http.HTTPFlow] = list(listed._store.values()) if listed else []  # noqa: SLF001 -- no public way
        if len(flows) > FLOWS_MAX:
            done = [flow for flow in flows[: len(flows) - FLOWS_MAX + _SPARE] if not flow.live]
            listed.remove(done)
