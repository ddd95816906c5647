"""Every place of a request in which a client can say a value."""

import base64
import gzip
import json
from collections.abc import Callable
from typing import Any, Final

from tests.live.harness.modern import META
from tests.live.harness.wire import request
from tests.live.harness.world import call

type Say = Callable[[str, str], bytes]  # token and value to the bytes of a request


def as_number(value: str) -> dict[str, int]:
    """``value`` as a number, which needs a name that says what it is; a text where it has more than digits."""
    digits = "".join(char for char in value if char.isdigit()) or "0"
    names = {9: "ssn", 12: "phone", 16: "cardNumber"}
    return {names.get(len(digits), "iban"): int(digits)}


def _card_number(value: str) -> int:
    """Of all numbers only a card's says by itself what it is."""
    digits = value.replace(" ", "")
    return int(digits) if digits.isdecimal() and len(digits) == 16 else 7


def _arguments(make: Callable[[str], dict[str, Any]]) -> Say:
    return lambda token, value: request(token, call(arguments=make(value)))


def _message(make: Callable[[str], Any]) -> Say:
    return lambda token, value: request(token, make(value))


def _method(method: str, make: Callable[[str], dict[str, Any]]) -> Say:
    return _message(lambda value: {"jsonrpc": "2.0", "id": 1, "method": method, "params": make(value)})


def _notice(method: str, make: Callable[[str], dict[str, Any]]) -> Say:
    return _message(lambda value: {"jsonrpc": "2.0", "method": method, "params": make(value)})


def _header(name: str, form: str = "{}") -> Say:
    return lambda token, value: request(token, headers=((name, form.format(value)),), without=(name,))


def _body(make: Callable[[str], bytes], *headers: tuple[str, str]) -> Say:
    return lambda token, value: request(token, make(value), headers=headers, without=[name for name, _ in headers])


def _target(form: str) -> Say:
    return lambda token, value: request(token, target=form.format(value.replace(" ", "%20")))


def _base64(value: str) -> str:
    return base64.b64encode(f"the value is {value}, as said".encode()).decode()


def _cut(value: str) -> bytes:
    return json.dumps(call(arguments={"note": value})).encode()[:-3]


DATA: Final[dict[str, Say]] = {
    "argument": _arguments(lambda value: {"note": f"the value is {value}, as said"}),
    "argument alone": _arguments(lambda value: {"note": value}),
    "argument deep": _arguments(lambda value: {"a": [{"b": {"c": [1, value]}}]}),
    "argument name": _arguments(lambda value: {f"note {value}": 1}),
    "argument as json": _arguments(lambda value: {"note": json.dumps({"rows": [value]})}),
    "argument as json in json": _arguments(lambda value: {"note": json.dumps({"rows": json.dumps([value])})}),
    "argument in base64": _arguments(lambda value: {"note": _base64(value)}),
    "argument as data url": _arguments(lambda value: {"note": f"data:text/plain;base64,{_base64(value)}"}),
    "argument as lines": _arguments(lambda value: {"note": f"first\n{value}\nlast"}),
    "argument under a name": _arguments(lambda value: {"password": value, "token": value}),
    "argument escaped": _body(
        lambda value: json.dumps(call(arguments={"note": "?"})).replace("?", _escaped(value)).encode()
    ),
    "number under a name": _arguments(as_number),
    "meta": _method("tools/call", lambda value: {"name": "get_customer", "_meta": {"com.example/note": value}}),
    "meta of the era": _method("tools/call", lambda value: {"name": "get_customer", "_meta": META | {"note": value}}),
    "member of its own": _message(lambda value: call() | {"vendor": {"note": value}}),
    "prompt argument": _method("prompts/get", lambda value: {"name": "p", "arguments": {"topic": value}}),
    "completion": _method("completion/complete", lambda value: {"ref": {}, "argument": {"name": "q", "value": value}}),
    "progress of the client": _notice("notifications/progress", lambda value: {"progressToken": 1, "message": value}),
    "reason of a cancellation": _notice("notifications/cancelled", lambda value: {"requestId": 1, "reason": value}),
    "batch": _message(lambda value: [call(arguments={"note": value}), call(arguments={"note": value}, call_id=2)]),
    "denied call": _message(lambda value: call("purge_everything", {"note": value})),
}

PROTOCOL: Final[dict[str, Say]] = {
    "id": _message(lambda value: call(call_id=f"id {value}")),
    "id as number": _message(lambda value: call(call_id=_card_number(value))),
    "unknown method": lambda token, value: request(
        token, {"jsonrpc": "2.0", "id": 1, "method": f"vendor/{value}", "params": {"note": value}}
    ),
    "tool": _message(lambda value: call(f"get {value}")),
    "prompt": _method("prompts/get", lambda value: {"name": f"p {value}"}),
    "uri": _method("resources/read", lambda value: {"uri": f"crm://customers/{value}"}),
    "cursor": _method("tools/list", lambda value: {"cursor": f"at {value}"}),
    "progress token": _method(
        "tools/call", lambda value: {"name": "get_customer", "_meta": {"progressToken": f"p {value}"}}
    ),
    "version of the protocol": _message(lambda value: call() | {"jsonrpc": value}),
    "reply to nothing": _message(lambda value: {"jsonrpc": "2.0", "id": f"r {value}", "result": {"note": value}}),
    "client of an initialize": _method(
        "initialize",
        lambda value: {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": value}},
    ),
    "user agent": _header("User-Agent", "agent/1 ({})"),
    "header of its own": _header("X-Customer"),
    "name of a header": lambda token, value: request(token, headers=((f"X-{value.replace(' ', '-')}", "1"),)),
    "cookie": _header("Cookie", "who={}"),
    "referer": _header("Referer", "https://crm.test/?q={}"),
    "forwarded for": _header("X-Forwarded-For"),
    "session": _header("Mcp-Session-Id"),
    "last event": _header("Last-Event-ID"),
    "header of the version": _header("MCP-Protocol-Version"),
    "header of the method": _header("Mcp-Method"),
    "header of a parameter": _header("Mcp-Param-Note"),
    "content type": _header("Content-Type", "application/json; note={}"),
    "accept": _header("Accept", "application/json, text/event-stream, text/{}"),
    "trace": _header("traceparent", "00-{}-01"),
    "token": lambda _, value: request(f"x.{value.replace(' ', '')}.y"),
    "basic credentials": lambda _, value: request(
        None, headers=(("Authorization", "Basic " + base64.b64encode(value.encode()).decode()),)
    ),
    "host": _header("Host", "{}.test"),
    "query": _target("/mcp?ssn={0}&note={0}"),
    "path": _target("/mcp/{}"),
    "absolute target": _target("http://other.test/{}"),
    "user of a target": _target("http://{}@127.0.0.1/mcp"),
    "query of a put": lambda token, value: request(token, method="PUT", target=f"/mcp?x={value.replace(' ', '+')}"),
    "verb": lambda token, value: request(token, method=value.replace(" ", "").upper()),
}

BROKEN: Final[dict[str, Say]] = {
    "json cut off": _body(_cut),
    "name twice": _body(lambda value: f'{{"jsonrpc":"2.0","note":"{value}","note":"{value}"}}'.encode()),
    "no json": _body(lambda value: f"the value is {value}".encode()),
    "no utf-8": _body(lambda value: b'{"note": "\xff ' + value.encode() + b'"}'),
    "not a number": _body(lambda value: f'{{"jsonrpc": "2.0", "id": NaN, "method": "{value}"}}'.encode()),
    "compressed, says plain": _body(lambda value: gzip.compress(value.encode() * 3)),
    "compressed": _body(
        lambda value: gzip.compress(json.dumps(call(arguments={"note": value})).encode()), ("Content-Encoding", "gzip")
    ),
    "plain, says compressed": _body(
        lambda value: json.dumps(call(arguments={"note": value})).encode(), ("Content-Encoding", "gzip")
    ),
    "utf-16": _body(lambda value: json.dumps(call(arguments={"note": value})).encode("utf-16")),
    "head without a colon": lambda token, value: request(token).replace(
        b"\r\n\r\n", f"\r\n{value}\r\n\r\n".encode(), 1
    ),
    "no http": lambda _, value: f"{value}\r\n\r\n".encode(),
    "line of the request": lambda _, value: f"POST /mcp {value}\r\n\r\n".encode(),
}


def _escaped(value: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in value)
