"""What a bridge must know of a JSON-RPC message: what it asks, what it answers, where it belongs."""

from typing import Final

from holdfast import jsontext
from holdfast.call import META_VERSION
from holdfast.jsontext import Json, JsonObject

SUBSCRIPTION: Final = "io.modelcontextprotocol/subscriptionId"  # MCP 2026-07-28, subscriptions

# "1" and 1 are two ids (JSON-RPC 2.0, 4).
type Key = tuple[type, str | int]


class NotMessagesError(Exception):
    """A text is no JSON-RPC message and no batch of them. Never quotes it."""


def parse(data: bytes) -> list[JsonObject]:
    """The messages in ``data``: one, or the elements of a batch.

    Raises:
        NotMessagesError: it is neither.
    """
    try:
        value = jsontext.parse(data)
    except jsontext.JsonError as error:
        raise NotMessagesError(str(error)) from None
    items = value if isinstance(value, list) else [value]
    messages = [item for item in items if isinstance(item, dict)]
    if not messages or len(messages) < len(items):
        raise NotMessagesError("not a JSON-RPC message")
    return messages


def key(value: Json) -> Key | None:
    """The key of an id or token; None of what is neither."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return type(value), value


def asks(message: JsonObject) -> Key | None:
    """The id of a request; None of a notification or a reply."""
    return key(message.get("id")) if isinstance(message.get("method"), str) else None


def answers(message: JsonObject) -> Key | None:
    """The id that a reply answers; None of a request or notification."""
    return None if "method" in message else key(message.get("id"))


def member(message: JsonObject, *path: str) -> Json:
    """What stands in ``message`` at the end of ``path``, or None."""
    value: Json = message
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def is_modern(message: JsonObject) -> bool:
    """Whether a request says itself which version it is in (MCP 2026-07-28), and so needs no session."""
    return isinstance(member(message, "params", "_meta", META_VERSION), str)


def progress_token(message: JsonObject) -> Key | None:
    """The token under which a request wants to hear of progress."""
    return key(member(message, "params", "_meta", "progressToken"))


def error_reply(asked: Json, code: int, text: str) -> JsonObject:
    """A reply of a bridge's own."""
    return {"jsonrpc": "2.0", "id": asked, "error": {"code": code, "message": text}}


def line_of(messages: list[JsonObject], data: bytes) -> bytes:
    """``data`` on one line, as stdio carries it; ``messages`` are what it spells."""
    if b"\n" not in data and b"\r" not in data:
        return data
    return jsontext.wire([*messages] if data.lstrip().startswith(b"[") else messages[0])
