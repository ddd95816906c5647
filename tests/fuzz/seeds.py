"""Where the fuzzers begin: messages of every protocol version, and bytes that once misled a reader somewhere."""

import json
from typing import Any, Final

from holdfast.sse import Event, format_event

_META: Final = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "agent", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"url": {}}},
    "progressToken": "p-1",
}
_ELICIT: Final = {"method": "elicitation/create", "params": {"mode": "url", "url": "https://gw.example.com/a/1"}}


def _call(method: str, params: Any = None, call_id: Any = 1) -> dict[str, Any]:
    message = {"jsonrpc": "2.0", "id": call_id, "method": method}
    return message if params is None else {**message, "params": params}


def _result(result: Any, call_id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": call_id, "result": result}


def _note(method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


MESSAGES: Final[tuple[Any, ...]] = (
    _call("initialize", {"protocolVersion": "2024-11-05", "capabilities": {"roots": {}}, "clientInfo": {"name": "a"}}),
    _call("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a"}}, "init-1"),
    _note("notifications/initialized", {}),
    _note("notifications/cancelled", {"requestId": 7, "reason": "no longer needed"}),
    _note("notifications/progress", {"progressToken": "p-1", "progress": 0.5, "total": 1}),
    _call("tools/list", {"cursor": "c-2"}, 2),
    _call("tools/call", {"name": "get_customer", "arguments": {"id": "C-1", "limit": 10, "deep": [[{"a": None}]]}}, 3),
    _call("tools/call", {"name": "search", "arguments": {"text": 'caf\u00e9 \U0001f600 \\ " \n'}, "_meta": _META}, 4),
    _call("resources/read", {"uri": "docs://handbook/returns"}, 5),
    _call("prompts/get", {"name": "summarise", "arguments": {"text": "x"}}, 6),
    _call("server/discover", {"_meta": _META}, 8),
    _call("subscriptions/listen", {"_meta": _META, "notifications": {"toolsListChanged": True}}, 9),
    _call("tasks/get", {"taskId": "786512e2"}, 10),
    _call("sampling/createMessage", {"messages": [{"role": "user", "content": {"type": "text", "text": "q"}}]}, 11),
    [_call("ping", None, 1), _call("ping", None, "1"), _note("notifications/initialized", {}), _result({}, 12)],
    _result({"content": [{"type": "text", "text": "done"}], "isError": False, "resultType": "complete"}),
    _result({"resultType": "input_required", "inputRequests": {"a": _ELICIT}, "requestState": "c2VhbGVk"}),
    _result(
        {"tools": [{"name": "get", "inputSchema": {"type": "object", "properties": {"a": {"x-mcp-header": "A"}}}}]}
    ),
    {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "parse error"}},
    {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "no", "data": {"a": 1e3, "b": -0.0}}},
)

HOSTILE: Final = (
    b"",
    b"[]",
    b"[" * 64 + b"]" * 64,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","re\\u017fult":1}',
    b'{"jsonrpc":"2.0","id":1,"method":"ping","\\u006dethod":"tools/call"}',
    b'{"jsonrpc":"2.0","id":1e0,"method":"ping"}',
    b'{"jsonrpc":"2.0","id":-0,"method":"ping","params":{"a":-0.0,"b":1E400,"c":NaN,"d":Infinity}}',
    b'{"jsonrpc":"2.0","id":1,"method":"a\\u0000b","params":["\\ud83d\\ude00","\\ud800"]}',
    b'{"jsonrpc":"2.0","id":1,"result":{"a":' + b"9" * 310 + b"}}",
    b'{"jsonrpc":"2.0","id":1,"result":{"__proto__":{"a":1},"constructor":[]},"params":{}}',
)


def _stream() -> bytes:
    events = (Event("", None, "7", 1500), *(Event(json.dumps(message), "message", "8") for message in MESSAGES[:4]))
    return b"".join(map(format_event, events))


STREAMS: Final = (
    _stream(),
    _stream().replace(b"\n", b"\r\n"),
    _stream().replace(b"\n", b"\r"),
    b"event: endpoint\ndata: /messages?sessionId=a\n\n: comment\n\nid: 1\0\nretry: 99999999\nretry: +1\ndata\n\n",
    b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\ndata: c\r\n\r\r\n\n\r\rdata: d\r\r",
    "data: \u2028 \u0085 \u001c\n\n".encode() + b"data: \xff\n\n",
)

DICTIONARY: Final = (
    *('"jsonrpc"', '"2.0"', '"id"', '"method"', '"params"', '"result"', '"error"', '"name"', '"arguments"', "null"),
    *("true", "false", "NaN", "-Infinity", "1e308", "\\ud800", "\\udc00", '{"', '":', "[[", "]]", "}}", "},{"),
    *("data: ", "event: ", "id: ", "retry: ", "\r\n\r\n", "\n\n", "\r\r", ": ", "\ufeff"),
)


def seeds(target: str) -> tuple[bytes, ...]:
    """The first inputs of ``target``; those of streams are preceded by sizes of chunks."""
    if target != "events":
        return (*(json.dumps(message).encode() for message in MESSAGES), *HOSTILE)
    return tuple(sizes + stream for stream in STREAMS for sizes in (b"\0", b"\x03\x01\x02\x09"))


def dictionary() -> str:
    """The words that an input may be made of, as libFuzzer reads them."""
    return "".join(f'"{"".join(rf"\x{byte:02x}" for byte in word.encode())}"\n' for word in DICTIONARY)
