r"""text/event-stream in and out, one complete event at a time.

The bytes of an event are judged only when the blank line that ends it has arrived; a tail without one is no event and
is dropped (WHATWG HTML, 9.2.6). What goes out is written anew from the parse, so no comment or stray field of the
server reaches a client unjudged.
"""

import dataclasses
import re
from typing import Final

from holdfast.errors import Cause, Refused

EVENT_BYTES_MAX: Final = 4 * 1024 * 1024  # one event is one message: the limit of a body
FIELD_CHARS_MAX: Final = 1024  # ids are cursors; names are words
RETRY_MS_MAX: Final = 24 * 3600 * 1000  # a day: more is a way to silence a client
KEEP_ALIVE: Final = b": keep-alive\n\n"

# An event ends where two line ends meet; CRLF, LF and CR all end a line and may be mixed.
_END: Final = re.compile(rb"\r\n\r\n|\r\n\n|\r\n\r(?!\n)|\n\r\n|\n\n|\n\r(?!\n)|\r\r\n|\r\r(?!\n)")
_LINE: Final = re.compile(r"\r\n|\n|\r")
_BOM: Final = b"\xef\xbb\xbf"  # HTML 9.2.6: one may lead the stream; later it is part of a field's name


class Splitter:
    """Cuts a byte stream into the blocks of complete events, whatever the chunking."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._begun = False

    def feed(self, data: bytes) -> list[bytes]:
        """The blocks that ``data`` completes, each with its blank line.

        Raises:
            Refused: SERVER_FAULT, when an event grows beyond ``EVENT_BYTES_MAX``.
        """
        self._buffer += data
        blocks: list[bytes] = []
        start = 0
        search_from = max(0, self._searched - 3)  # the longest line-end pair is four bytes
        while match := _END.search(self._buffer, max(search_from, start)):
            # A final CR may be the first half of a CRLF that has not arrived.
            if match.end() == len(self._buffer) and self._buffer.endswith(b"\r"):
                break
            blocks.append(self._block(start, match.end()))
            start = search_from = match.end()
        del self._buffer[:start]
        self._searched = len(self._buffer)
        if self._searched > EVENT_BYTES_MAX or any(len(block) > EVENT_BYTES_MAX for block in blocks):
            raise Refused(Cause.SERVER_FAULT, f"an event has more than {EVENT_BYTES_MAX} bytes")
        return blocks

    def finish(self) -> list[bytes]:
        """The last block, where the stream ended in a CR that might have been the first half of a CRLF."""
        match = _END.search(self._buffer, max(0, len(self._buffer) - 4))
        whole = match is not None and match.end() == len(self._buffer)
        blocks = [self._block(0, len(self._buffer))] if whole else []
        self._buffer.clear()
        self._searched = 0
        return blocks

    def _block(self, start: int, end: int) -> bytes:
        block = bytes(self._buffer[start:end])
        if self._begun:
            return block
        self._begun = True
        return block.removeprefix(_BOM)


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One event. ``data`` is None for an event that only carries an id or a retry time (a priming event has "")."""

    data: str | None = None
    name: str | None = None
    id: str | None = None
    retry_ms: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left of a block, as with one that held only comments."""
        return self == Event()


def parse_event(block: bytes) -> Event:
    """The event that ``block`` (as :meth:`Splitter.feed` gives it) spells. Comments and unknown fields are dropped.

    Raises:
        Refused: SERVER_FAULT, for bytes that are not UTF-8 or a field beyond its limit; never quotes the data.
    """
    try:
        text = block.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise Refused(Cause.SERVER_FAULT, "an event is not UTF-8") from None
    data: list[str] = []
    name = event_id = None
    retry_ms: int | None = None
    for line in _LINE.split(text):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match field:
            case "data":
                data.append(value)
            case "event":
                name = _short(value)
            case "id" if "\0" not in value:  # HTML 9.2.6: an id with NULL is ignored
                event_id = _short(value)
            case "retry" if value.isascii() and value.isdigit() and len(value) <= len(str(RETRY_MS_MAX)):
                retry_ms = min(int(value), RETRY_MS_MAX)
            case _:
                pass
    return Event("\n".join(data) if data else None, name, event_id, retry_ms)


def _short(value: str) -> str:
    if len(value) > FIELD_CHARS_MAX:
        raise Refused(Cause.SERVER_FAULT, f"an event field has more than {FIELD_CHARS_MAX} characters")
    return value


def format_event(event: Event) -> bytes:
    """The bytes of ``event``; :func:`parse_event` reads back the same."""
    lines: list[str] = []
    if event.name is not None:
        lines.append(f"event: {event.name}")
    if event.id is not None:
        lines.append(f"id: {event.id}")
    if event.retry_ms is not None:
        lines.append(f"retry: {event.retry_ms}")
    if event.data is not None:
        lines += [f"data: {line}" for line in _LINE.split(event.data)]
    return ("\n".join(lines) + "\n\n").encode() if lines else b""
