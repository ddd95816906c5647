"""Every place of a response in which a server can say a value."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any, Final

from tests.live.harness.upstream import http
from tests.live.harness.world import result
from tests.live.leaks.from_client import as_number

type Say = Callable[[str], bytes]  # a value to the bytes of a response to the call with the id 1

_HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def _result(make: Callable[[str], Any]) -> Say:
    return _message(lambda value: {"jsonrpc": "2.0", "id": 1, "result": make(value)})


def _message(make: Callable[[str], Any]) -> Say:
    return lambda value: http("200 OK", json.dumps(make(value)).encode())


def _content(make: Callable[[str], dict[str, Any]]) -> Say:
    return _result(lambda value: {"content": [make(value)]})


def _resource(make: Callable[[str], dict[str, Any]]) -> Say:
    return _content(lambda value: {"type": "resource", "resource": {"uri": "x://y"} | make(value)})


def _stream(*make: Callable[[str], bytes]) -> Say:
    return lambda value: _HEAD + b"".join(one(value) for one in make) + _event(result(1, "done"))


def _event(body: object, more: str = "") -> bytes:
    return f"{more}data: {json.dumps(body)}\n\n".encode()


def _notice(method: str, make: Callable[[str], dict[str, Any]], call_id: int | None = None) -> Say:
    asked = {} if call_id is None else {"id": call_id}
    return _stream(lambda value: _event({"jsonrpc": "2.0", "method": method, "params": make(value)} | asked))


def _header(form: str, status: str = "200 OK") -> Say:
    return lambda value: http(status, json.dumps(result(1, "done")).encode(), more=form.format(value) + "\r\n")


def _page(status: str, kind: str = "text/html") -> Say:
    return lambda value: http(status, f"<p>Sorry, {value} is not known</p>".encode(), kind)


def _body(make: Callable[[str], bytes], more: str = "") -> Say:
    return lambda value: http("200 OK", make(value), more=more)


def _base64(value: str) -> str:
    return base64.b64encode(f"the value is {value}, as said".encode()).decode()


def _said(value: str) -> bytes:
    return json.dumps(result(1, f"the value is {value}, as said")).encode()


def _raw(form: str) -> Say:
    return lambda value: form.format(value).encode()


DATA: Final[dict[str, Say]] = {
    "text": _content(lambda value: {"type": "text", "text": f"the value is {value}, as said"}),
    "text as json": _content(lambda value: {"type": "text", "text": json.dumps({"rows": [{"x": value}]})}),
    "text as indented json": _content(lambda value: {"type": "text", "text": json.dumps([value], indent=2)}),
    "text of an error": _result(lambda value: {"content": [{"type": "text", "text": value}], "isError": True}),
    "structured": _result(lambda value: {"content": [], "structuredContent": {"rows": [{"x": value}]}}),
    "structured number": _result(lambda value: {"content": [], "structuredContent": as_number(value)}),
    "structured name": _result(lambda value: {"content": [], "structuredContent": {f"x {value}": 1}}),
    "unknown content": _content(lambda value: {"type": "unheard-of", "payload": [value]}),
    "resource text": _resource(lambda value: {"mimeType": "text/plain", "text": value}),
    "resource blob": _resource(lambda value: {"mimeType": "text/csv", "blob": _base64(value)}),
    "resource blob of no type": _resource(lambda value: {"blob": _base64(value)}),
    "text that is base64": _content(lambda value: {"type": "text", "text": _base64(value)}),
    "data url": _content(lambda value: {"type": "text", "text": f"data:text/plain;base64,{_base64(value)}"}),
    "link": _content(lambda value: {"type": "resource_link", "uri": "x://y", "name": value, "description": value}),
    "annotation": _content(lambda value: {"type": "text", "text": "x", "annotations": {"note": value}}),
    "prompt": _result(lambda value: {"messages": [{"role": "user", "content": {"type": "text", "text": value}}]}),
    "description": _result(
        lambda value: {"tools": [{"name": "listed", "description": value, "inputSchema": {"type": "object"}}]}
    ),
    "schema": _result(
        lambda value: {
            "tools": [{"name": "listed", "inputSchema": {"properties": {"x": {"default": value, "examples": [value]}}}}]
        }
    ),
    "meta": _result(lambda value: {"content": [], "_meta": {"com.example/note": value}}),
    "instructions": _result(lambda value: {"instructions": value}),
    "error": _message(lambda value: {"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": value}}),
    "data of an error": _message(
        lambda value: {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "x", "data": {"row": [value]}}}
    ),
    "member of its own": _message(lambda value: result(1) | {"vendor": value}),
    "event": lambda value: _HEAD + _event(result(1, f"the value is {value}, as said")),
    "log line": _notice("notifications/message", lambda value: {"level": "info", "data": f"seen {value} today"}),
    "log object": _notice("notifications/message", lambda value: {"level": "info", "data": {"row": {"x": value}}}),
    "progress": _notice(
        "notifications/progress", lambda value: {"progressToken": 1, "progress": 1, "message": f"at {value}"}
    ),
    "task": _notice("notifications/tasks/status", lambda value: {"taskId": "t", "statusMessage": value}),
    "vendor's notice": _notice("notifications/vendor", lambda value: {"anything": [value]}),
    "sampling": _notice(
        "sampling/createMessage",
        lambda value: {"messages": [{"role": "user", "content": {"type": "text", "text": value}}], "maxTokens": 1},
        call_id=9,
    ),
    "elicitation": _notice(
        "elicitation/create", lambda value: {"message": value, "requestedSchema": {"type": "object"}}, call_id=9
    ),
}

PROTOCOL: Final[dict[str, Say]] = {
    "name of a server": _result(lambda value: {"serverInfo": {"name": value, "version": value}}),
    "id": _message(lambda value: result(f"id {value}")),
    "uri": _content(lambda value: {"type": "resource_link", "uri": f"crm://customers/{value}", "name": "x"}),
    "mime type": _resource(lambda value: {"mimeType": f"text/{value}", "text": "x"}),
    "tool": _result(lambda value: {"tools": [{"name": f"t {value}", "inputSchema": {"type": "object"}}]}),
    "name in a schema": _result(
        lambda value: {"tools": [{"name": "listed", "inputSchema": {"properties": {f"p {value}": {}}}}]}
    ),
    "cursor": _result(lambda value: {"tools": [], "nextCursor": f"at {value}"}),
    "task id": _result(lambda value: {"task": {"taskId": f"t {value}", "status": "working"}}),
    "state of a request": _result(lambda value: {"resultType": "input_required", "requestState": f"s {value}"}),
    "method of a notice": _stream(lambda value: _event({"jsonrpc": "2.0", "method": f"notifications/{value}"})),
    "event id": _stream(lambda value: _event({"jsonrpc": "2.0", "method": "notifications/x"}, f"id: {value}\n")),
    "event name": _stream(lambda value: _event({"jsonrpc": "2.0", "method": "notifications/x"}, f"event: {value}\n")),
    "comment": _stream(lambda value: f": {value}\n\n".encode()),
    "unknown field": _stream(lambda value: f"{value}: 1\nnote: {value}\n\n".encode()),
    "endpoint": _stream(lambda value: f"event: endpoint\ndata: /messages?who={value}\n\n".encode()),
    "event that is no json": _stream(lambda value: f"data: the value is {value}\n\n".encode()),
    "event without an end": lambda value: _HEAD + f"data: {value}".encode(),
    "session": _header("Mcp-Session-Id: {}"),
    "header of its own": _header("X-Customer: {}"),
    "name of a header": _header("X-{}: 1"),
    "cookie": _header("Set-Cookie: who={}"),
    "challenge": _header('WWW-Authenticate: Bearer realm="{}"', "401 Unauthorized"),
    "location": _header("Location: https://other.test/?q={}", "302 Found"),
    "server": _header("Server: {}"),
    "etag": _header('ETag: "{}"'),
    "content type": lambda value: http("200 OK", b"{}", f"text/{value}"),
    "reason": lambda value: http(f"200 {value}", json.dumps(result(1)).encode()),
    "reason of an error": lambda value: http(f"500 {value}", b"oops", "text/plain"),
}

BROKEN: Final[dict[str, Say]] = {
    "page of an error": _page("500 Internal Server Error"),
    "page": _page("200 OK"),
    "plain text": _page("404 Not Found", "text/plain"),
    "json of an error": _page("400 Bad Request", "application/json"),
    "json cut off": _body(lambda value: _said(value)[:-5]),
    "json and more": _body(lambda value: _said(value) + f" and {value}".encode()),
    "name twice": _body(lambda value: f'{{"jsonrpc":"2.0","id":1,"result":"{value}","result":"{value}"}}'.encode()),
    "no utf-8": _body(lambda value: b'{"note": "\xff ' + value.encode() + b'"}'),
    "compressed": _body(lambda value: gzip.compress(_said(value)), "Content-Encoding: gzip\r\n"),
    "plain, says compressed": _body(_said, "Content-Encoding: gzip\r\n"),
    "shorter than said": lambda value: http("200 OK", _said(value)).replace(b"Length: ", b"Length: 1", 1),
    "longer than said": lambda value: http("200 OK", _said(value)) + value.encode(),
    "bad chunk": _raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{0}\r\n{0}\r\n0\r\n\r\n"),
    "trailer": _raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\nX-Note: {0}\r\n\r\n"),
    "early hints": _raw("HTTP/1.1 103 Early Hints\r\nLink: <{0}>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"),
    "no http": _raw("{0}\r\n\r\n"),
    "head without a colon": _raw("HTTP/1.1 200 OK\r\n{0}\r\n\r\n"),
}
