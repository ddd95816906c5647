"""JSON-RPC bytes to frozen Calls and Replies, and back: every MCP protocol version, both directions.

A body is parsed once, here, and becomes Calls and Replies or a :class:`~holdfast.errors.Refused`, whatever the bytes.
What travels on is :meth:`Call.to_json` serialised again, never the bytes that came in.
"""

import dataclasses
import enum
from typing import Final

from holdfast import jsontext
from holdfast.errors import Cause, Refused
from holdfast.jsontext import Json, JsonObject

BODY_BYTES_MAX: Final = 4 * 1024 * 1024  # larger bodies do not fit a review screen, nor a masking budget
BATCH_COUNT_MAX: Final = 100  # a batch is judged element by element before any of it moves
VALUES_COUNT_MAX: Final = 100_000  # every one is looked at, some 20 us each, while others wait
METHOD_CHARS_MAX: Final = 200  # the longest method of the specification has 42
ID_CHARS_MAX: Final = 256  # ids are UUIDs or counters

MODERN_VERSION: Final = "2026-07-28"
BATCH_VERSION: Final = "2025-03-26"  # the one version whose transport has JSON arrays
HANDSHAKE_VERSIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
UNSTATED_VERSION: Final = "2025-03-26"  # MCP 2025-06-18, transports: the version of a request without the header
META_VERSION: Final = "io.modelcontextprotocol/protocolVersion"

type Id = str | int


class Direction(enum.Enum):
    """Which way a message travels through the gateway."""

    TO_SERVER = "to_server"
    TO_CLIENT = "to_client"

    @property
    def back(self) -> "Direction":
        """The way that an answer takes."""
        return Direction.TO_CLIENT if self is Direction.TO_SERVER else Direction.TO_SERVER


# The member of `params` that says what a method acts on. MCP schema, each version.
_NAME_MEMBER: Final = {
    "tools/call": "name",
    "prompts/get": "name",
    "resources/read": "uri",
    "resources/subscribe": "uri",
    "resources/unsubscribe": "uri",
    "tasks/get": "taskId",
    "tasks/update": "taskId",
    "tasks/cancel": "taskId",
    "tasks/result": "taskId",
    # LLM APIs: who may use which model is what access rules are about.
    "llm/chat.completions": "model",
    "llm/responses": "model",
    "llm/messages": "model",
    "llm/messages.count_tokens": "model",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """A JSON-RPC request, or a notification when ``id`` is None; in either direction."""

    method: str
    params: Json
    id: Id | None
    direction: Direction
    extra: JsonObject = dataclasses.field(default_factory=dict)

    @property
    def is_notification(self) -> bool:
        """Whether no Reply will come."""
        return self.id is None

    @property
    def name(self) -> str | None:
        """The tool, prompt, resource URI, task or model that ``params`` names, for methods that name one."""
        member = _NAME_MEMBER.get(self.method)
        value = self.member(member) if member else None
        return value if isinstance(value, str) else None

    @property
    def arguments(self) -> JsonObject:
        """The arguments of a tool or prompt; empty where there are none."""
        value = self.member("arguments")
        return value if isinstance(value, dict) else {}

    @property
    def meta(self) -> JsonObject:
        """``params._meta``; empty where there is none."""
        value = self.member("_meta")
        return value if isinstance(value, dict) else {}

    def member(self, name: str) -> Json:
        """The member ``name`` of ``params``, or None."""
        return self.params.get(name) if isinstance(self.params, dict) else None

    def to_json(self) -> JsonObject:
        """The message as a JSON object, ready for :func:`holdfast.jsontext.wire`."""
        message: dict[str, Json] = {"jsonrpc": "2.0"}
        if self.id is not None:
            message["id"] = self.id
        message["method"] = self.method
        if self.params is not None:
            message["params"] = self.params
        return message | self.extra


@dataclasses.dataclass(frozen=True, slots=True)
class Reply:
    """The answer to a Call: a result, or an error. ``id`` is None where the sender could not read the Call's."""

    id: Id | None
    result: Json
    error: JsonObject | None
    direction: Direction
    extra: JsonObject = dataclasses.field(default_factory=dict)

    @property
    def is_error(self) -> bool:
        """Whether the Call failed: a JSON-RPC error, or a tool result that says so."""
        return self.error is not None or (isinstance(self.result, dict) and self.result.get("isError") is True)

    def to_json(self) -> JsonObject:
        """The message as a JSON object, ready for :func:`holdfast.jsontext.wire`."""
        message: dict[str, Json] = {"jsonrpc": "2.0", "id": self.id}
        if self.error is not None:
            message["error"] = self.error
        else:
            message["result"] = self.result
        return message | self.extra


type Message = Call | Reply


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """The messages of one HTTP body or SSE event, in order."""

    messages: tuple[Message, ...]
    is_batch: bool

    def to_bytes(self) -> bytes:
        """The body as it travels on."""
        if self.is_batch:
            return jsontext.wire([message.to_json() for message in self.messages])
        return jsontext.wire(self.messages[0].to_json())


def parse_body(data: bytes, direction: Direction) -> Body:
    """The messages in ``data``: a JSON-RPC object, or an array of them.

    Whether a batch is permitted is for the caller to judge, who knows the protocol version.

    Raises:
        Refused: MALFORMED or TOO_LARGE; the reason never quotes the data.
    """
    if len(data) > BODY_BYTES_MAX:
        raise Refused(Cause.TOO_LARGE, f"the body has {len(data)} bytes; at most {BODY_BYTES_MAX} are carried")
    try:
        value = jsontext.parse(data)
    except jsontext.JsonError as error:
        raise _malformed(f"the body is no acceptable JSON: {error}") from None
    _check_count(data, value)
    if not isinstance(value, list):
        return Body((_message(value, direction),), is_batch=False)
    if not value:
        raise _malformed("the batch is empty")  # JSON-RPC 2.0, section 6
    if len(value) > BATCH_COUNT_MAX:
        raise Refused(Cause.TOO_LARGE, f"the batch has {len(value)} messages; at most {BATCH_COUNT_MAX} are carried")
    messages = tuple(_message(item, direction) for item in value)
    asked = [(type(m.id), m.id) for m in messages if isinstance(m, Call) and m.id is not None]
    if len(set(asked)) < len(asked):  # the Replies could not be told apart
        raise _malformed("two calls of the batch have one id")
    return Body(messages, is_batch=True)


def _check_count(data: bytes, value: Json) -> None:
    """Four megabytes of empty arrays are two million values."""
    # Before every value but the first stands one of these; only then is the walk worth its time.
    marks = sum(map(data.count, b",:[{"))
    if marks < VALUES_COUNT_MAX or (count := jsontext.values_count(value)) <= VALUES_COUNT_MAX:
        return
    raise Refused(Cause.TOO_LARGE, f"the body has {count} values; at most {VALUES_COUNT_MAX} are carried")


def _malformed(reason: str) -> Refused:
    return Refused(Cause.MALFORMED, reason, next_step="Send one JSON-RPC 2.0 message as UTF-8 JSON.")


def _message(value: Json, direction: Direction) -> Message:
    if not isinstance(value, dict):
        raise _malformed("a message is not a JSON object")
    if value.get("jsonrpc") != "2.0":
        raise _malformed("a message does not say jsonrpc 2.0")
    # Some readers match member names in any case: `Method` would be a second method to them.
    if any(key not in _KNOWN and key.casefold() in _KNOWN for key in value):
        raise _malformed("a member differs from one of JSON-RPC only in case")
    if "method" in value:
        return _call(value, direction)
    return _reply(value, direction)


def _call(value: dict[str, Json], direction: Direction) -> Call:
    if "result" in value or "error" in value:
        raise _malformed("a message is both a call and a reply")
    method = value["method"]
    if not isinstance(method, str) or not 0 < len(method) <= METHOD_CHARS_MAX:
        raise _malformed("a method is not a short text")
    params = value.get("params")
    if "params" in value and not isinstance(params, dict | list):
        raise _malformed("params is neither an object nor an array")
    call_id = _id(value["id"]) if "id" in value else None
    return Call(method, params, call_id, direction, _extra(value))


def _reply(value: dict[str, Json], direction: Direction) -> Reply:
    if ("result" in value) == ("error" in value):
        raise _malformed("a reply has not exactly one of result and error")
    error = value.get("error")
    if "error" in value and not isinstance(error, dict):
        raise _malformed("an error is not an object")
    if "id" not in value and "error" not in value:
        raise _malformed("a result has no id")
    reply_id = value.get("id")
    # Servers answer what they could not parse with a null id, or with none.
    typed_id = None if reply_id is None and "error" in value else _id(reply_id)
    return Reply(typed_id, value.get("result"), error if isinstance(error, dict) else None, direction, _extra(value))


def _id(value: Json) -> Id:
    # MCP, base protocol: an id is a string or an integer and never null. bool is an int to Python only.
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _malformed("an id is neither a string nor an integer")
    if len(str(value)) > ID_CHARS_MAX:
        raise _malformed(f"an id is longer than {ID_CHARS_MAX} characters")
    return value


_KNOWN: Final = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})


def _extra(value: dict[str, Json]) -> JsonObject:
    return {key: item for key, item in value.items() if key not in _KNOWN}


def version_of(call: Call, header: str | None) -> str:
    """The protocol version that governs ``call``: its own ``_meta`` in the modern era, else the header.

    Args:
        call: a Call towards the server.
        header: the value of ``MCP-Protocol-Version``, where one was sent.
    """
    stated = call.meta.get(META_VERSION)
    if isinstance(stated, str):
        return stated
    if call.method == "initialize":
        offered = call.member("protocolVersion")
        return offered if isinstance(offered, str) else UNSTATED_VERSION
    return header or UNSTATED_VERSION


def is_modern(call: Call) -> bool:
    """Whether ``call`` belongs to the stateless era (2026-07-28 and later)."""
    return META_VERSION in call.meta
