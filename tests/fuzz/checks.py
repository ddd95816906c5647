"""What holds for any bytes, as plain functions: the coverage-guided fuzzer and the property tests share them.

Each takes bytes and returns nothing, or raises :class:`Fault`; any other exception is a fault too. They import nothing
but the standard library and the three pure modules, so that they run under the fuzzer's own Python.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from holdfast import jsontext
from holdfast.call import BODY_BYTES_MAX, Body, Direction, Message, parse_body
from holdfast.errors import Cause, Refused
from holdfast.jsontext import DEPTH_MAX, JsonError
from holdfast.sse import Event, Splitter, format_event, parse_event

_JSON_RPC: Final = ("jsonrpc", "id", "method", "params", "result", "error")
_LINE: Final = re.compile(r"\r\n|\n|\r")
_BOM: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
_SIZES_MAX: Final = 16


class Fault(AssertionError):  # noqa: N818 -- reads as what it is
    """A promise about any bytes does not hold for these."""


def typed(value: object) -> object:
    """``value`` with its types, since Python finds 1, 1.0 and True equal."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value).__name__, value if value == value else "nan"  # noqa: PLR0124 -- NaN is not itself


def _demand(*, holds: bool, promise: str) -> None:
    if not holds:
        raise Fault(promise)


# -- JSON -------------------------------------------------------------------------------------------------------------


def check_json(data: bytes) -> None:
    """Any bytes are one JSON value, which Python's own reader reads alike, or a JsonError."""
    try:
        value = jsontext.parse(data)
    except JsonError as error:
        _demand(holds=len(str(error)) < 80, promise="a refusal is short, so that it quotes nothing")
        return
    read = json.loads(data)
    _demand(holds=typed(read) == typed(value), promise="another reader reads the same value")
    _demand(holds=jsontext.depth_of(value) <= DEPTH_MAX, promise="what is read is no deeper than the limit")
    for written in (jsontext.wire(value), jsontext.canonical(value)):
        _demand(holds=typed(jsontext.parse(written)) == typed(value), promise="what is written reads back the same")
        _demand(holds=_is_finite(json.loads(written, parse_int=float)), promise="every number is one of IEEE 754")
    again = jsontext.canonical(jsontext.parse(jsontext.wire(value)))
    _demand(holds=again == jsontext.canonical(value), promise="canonical text has one spelling")


def _is_finite(value: object) -> bool:
    """JavaScript has no other numbers than doubles."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or abs(value) != float("inf")


# -- messages ---------------------------------------------------------------------------------------------------------


def check_body(data: bytes) -> None:
    """Any bytes are Calls and Replies, the same in both directions, or Refused."""
    there, back = (_parsed(data, direction) for direction in Direction)
    _demand(holds=(there is None) == (back is None), promise="a body is one in both directions, or in none")
    if there is None or back is None:
        return
    _demand(holds=there.to_bytes() == back.to_bytes(), promise="the direction changes nothing that travels")
    _check_travels(data, there)


def _parsed(data: bytes, direction: Direction) -> Body | None:
    try:
        body = parse_body(data, direction)
    except Refused as refused:
        _demand(holds=refused.cause in (Cause.MALFORMED, Cause.TOO_LARGE), promise="bytes are malformed or too large")
        _demand(holds=len(refused.reason) < 120, promise="a reason is short, so that it quotes nothing")
        return None
    _demand(holds=len(data) <= BODY_BYTES_MAX, promise="what is carried is within the limit")
    _demand(holds=all(m.direction is direction for m in body.messages), promise="a message has its direction")
    return body


def _check_travels(data: bytes, body: Body) -> None:
    sent = body.to_bytes()
    again = parse_body(sent, Direction.TO_SERVER)
    _demand(holds=again.to_bytes() == sent, promise="what travels is read as what was judged")
    judged = [message.to_json() for message in body.messages]
    for spelling in (sent, data):  # a server that read the client's own bytes would find nothing else either
        read = json.loads(spelling)
        found = read if isinstance(read, list) else [read]
        for one, message, seen in zip(found, body.messages, judged, strict=True):
            _demand(holds=typed(_known(one, message)) == typed(seen), promise="another reader reads what was judged")
    for seen in judged:
        twins = [key for key in seen if key not in _JSON_RPC and key.casefold() in _JSON_RPC]
        _demand(holds=not twins, promise="no member differs from one of JSON-RPC only in case")


def _known(value: Any, message: Message) -> Any:
    """``value`` without the two things that a Reply does not carry on: ``params``, and a missing id for null."""
    if hasattr(message, "method"):
        return value
    return {"id": None} | {key: item for key, item in value.items() if key != "params"}


# -- event streams ----------------------------------------------------------------------------------------------------


def check_events(data: bytes) -> None:
    """Any bytes in any chunking are the same events, each of which reads back the same, or Refused.

    The first byte says how many of the next ones are sizes of chunks; the rest is the stream.
    """
    count = data[0] % _SIZES_MAX if data else 0
    sizes, stream = data[1 : 1 + count], data[1 + count :]
    check_chunking(stream, list(sizes))


def check_chunking(stream: bytes, sizes: list[int]) -> None:
    """The blocks of ``stream`` do not depend on where it is cut; each is the event that the standard's reader finds."""
    blocks = _blocks([stream])
    _demand(holds=_blocks(list(cut(stream, sizes))) == blocks, promise="the chunking changes nothing")
    _demand(holds=_blocks([bytes([byte]) for byte in stream]) == blocks, promise="nor does one byte at a time")
    events = [event for event in map(_event, blocks) if event is None or not event.is_empty]
    for event in filter(None, events):
        _check_event(event)
    text = _decoded(stream)
    if text is not None and None not in events:
        _demand(holds=events == list(read_by_lines(text)), promise="they are the events of the standard's reader")


def cut(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """``data`` in pieces of ``sizes``, and the rest."""
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


def _blocks(pieces: list[bytes]) -> list[bytes]:
    splitter = Splitter()
    return [block for piece in pieces for block in splitter.feed(piece)] + splitter.finish()


def _event(block: bytes) -> Event | None:
    try:
        return parse_event(block)
    except Refused as refused:
        _demand(holds=refused.cause is Cause.SERVER_FAULT, promise="a bad event is the server's fault")
        return None


def _check_event(event: Event) -> None:
    written = format_event(event)
    _demand(holds=_blocks([written]) == [written], promise="what is written is one whole event")
    _demand(holds=parse_event(written) == event, promise="what is written reads back the same")
    _demand(holds=[event] == list(read_by_lines(written.decode())), promise="another reader reads the same")


def _decoded(stream: bytes) -> str | None:
    try:
        return stream.decode("utf-8", "strict")
    except UnicodeDecodeError:
        return None


def read_by_lines(text: str) -> Iterator[Event]:
    """The events of ``text``, line by line as WHATWG HTML 9.2.6 tells it, with what is not dispatched kept too."""
    lines = _LINE.split(text.removeprefix(_BOM))
    data: list[str] = []
    fields: dict[str, Any] = {}
    for line in lines[:-1]:  # what has no line end is no line
        if not line:
            if data or fields:
                yield Event("\n".join(data) if data else None, **fields)
            data, fields = [], {}
            continue
        name, colon, value = line.partition(":")
        value = value[1:] if colon and value.startswith(" ") else value
        if name == "data":
            data.append(value)
        elif name == "event":
            fields["name"] = value
        elif name == "id" and "\0" not in value:
            fields["id"] = value
        elif name == "retry" and re.fullmatch("[0-9]{1,8}", value):
            fields["retry_ms"] = min(int(value), 86_400_000)


CHECKS: Final[dict[str, Callable[[bytes], None]]] = {
    "json": check_json,
    "body": check_body,
    "events": check_events,
}
