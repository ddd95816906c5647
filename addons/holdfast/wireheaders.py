"""Which headers travel, and whether those that repeat the body agree with it.

Headers are not masked word by word, so only those with a purpose pass: an unknown header could carry anything. MCP
2026-07-28 mirrors parts of the body in headers; a server may decide on either, so they must agree
(basic/transports, "Server validation"), and when masking changed an argument its mirror changes with it.
"""

import base64
import binascii
import re
from collections.abc import Callable
from typing import Final

from holdfast.call import MODERN_VERSION, Call, Message, is_modern, version_of
from holdfast.errors import Cause, Refused, Specified
from holdfast.exchange import Head, Headers, Request
from holdfast.jsontext import Json

_PARAM: Final = "mcp-param-"
_MIRRORS: Final = ("mcp-method", "mcp-name")
# MCP 2026-07-28, transports, "Standard headers", and SEP-2663 for tasks: these name what they act on in Mcp-Name.
_NAMED: Final = frozenset({"tools/call", "resources/read", "prompts/get", "tasks/get", "tasks/update", "tasks/cancel"})
HEADER_MISMATCH: Final = -32020  # MCP 2026-07-28, schema: HeaderMismatchError
_BASE64: Final = re.compile(r"=\?base64\?([A-Za-z0-9+/=]*)\?=")
_VISIBLE: Final = re.compile(r"[\x20-\x7e]*")
_MEDIA: Final = re.compile(r"[A-Za-z0-9!#$&^_.+*-]{1,64}/[A-Za-z0-9!#$&^_.+*-]{1,64}")
SESSION_ID: Final = re.compile(r"[\x21-\x7e]{1,256}")  # MCP 2025-11-25, transports: visible ASCII
_EVENT_ID: Final = re.compile(r"[\x21-\x7e]{1,1024}")
_VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ACCEPTED: Final = ("application/json", "text/event-stream")
# Values of the server's that have a meaning for an MCP client; anything else in these headers does not pass.
_TO_CLIENT: Final = {
    "cache-control": re.compile(r"(no-cache|no-store|no-transform|private|must-revalidate|, ?|max-age=\d{1,9}){1,9}"),
    "retry-after": re.compile(r"\d{1,9}"),
    "x-accel-buffering": re.compile(r"yes|no"),
}


# What programs draw at random as an id. Read as text, one of eighty of these holds something like a licence number.
_RANDOM: Final = re.compile(r"[0-9a-f]{32,128}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LETTERS: Final = re.compile(r"[a-f]", re.IGNORECASE)
_LETTERS_MIN: Final = 4  # of 32 hex digits drawn at random, one in 2,700 has fewer; digits alone are no such id


def tells(value: str, keep_text: Callable[[str], str]) -> bool:
    """Whether an id holds a regulated value, as far as ``keep_text`` finds one; a random one holds none."""
    is_random = _RANDOM.fullmatch(value) is not None and len(_LETTERS.findall(value)) >= _LETTERS_MIN
    return not is_random and keep_text(value) != value


def media_type(value: str | None) -> str:
    """The bare media type of a ``Content-Type``, lower case; empty where there is none or it is malformed."""
    bare = (value or "").split(";", 1)[0].strip()
    return bare.lower() if _MEDIA.fullmatch(bare) else ""


def to_server(request: Request, host: str, keep_text: Callable[[str], str]) -> Headers:
    """The client's headers that go on, and those that the gateway sets itself (without length or credential).

    Args:
        request: the client's request, without its credential.
        host: what ``Host`` says to the server.
        keep_text: masks a text; a header that it would change is not carried.

    Raises:
        Refused: MALFORMED, a header with a free value holds something else than an id.
    """
    headers = [("host", host), *_accept(request)]
    if request.method == "POST":
        headers.append(("content-type", "application/json"))
        headers += mirrors(request.headers)
    for name, form in (
        ("mcp-protocol-version", _VERSION),
        ("mcp-session-id", SESSION_ID),
        ("last-event-id", _EVENT_ID),
    ):
        value = request.header(name)
        if value is None:
            continue
        if not form.fullmatch(value) or tells(value, keep_text):
            raise Refused(Cause.MALFORMED, f"the header {name} is no plain id")
        headers.append((name, value))
    # Compressed replies would have to be unpacked before they are judged.
    return (*headers, ("accept-encoding", "identity"), ("user-agent", "holdfast"))


def _accept(request: Request) -> Headers:
    asked = {media_type(part) for value in request.headers_named("accept") for part in value.split(",")} - {""}
    wide = asked & {"*/*", "text/*", "application/*"} or not asked
    kept = [media for media in _ACCEPTED if wide or media in asked]
    return (("accept", ", ".join(kept)),) if kept else ()


def to_client(head: Head, keep_text: Callable[[str], str]) -> Headers:
    """The server's headers that go back to the client, without ``Content-Type``, which the gateway sets itself.

    Raises:
        Refused: SERVER_FAULT, a session id that is none.
    """
    headers = [(n, v) for n, v in head.headers if n in _TO_CLIENT and _TO_CLIENT[n].fullmatch(v)]
    session = head.header("mcp-session-id")
    if session is None:
        return tuple(headers)
    if not SESSION_ID.fullmatch(session) or tells(session, keep_text):
        raise Refused(Cause.SERVER_FAULT, "the server's session id is no plain id")
    return (*headers, ("mcp-session-id", session))


def mirrors(headers: Headers) -> Headers:
    """The headers that repeat the body."""
    return tuple((n, v) for n, v in headers if n in _MIRRORS or n.startswith(_PARAM))


def check_mirrors(request: Request, call: Call) -> None:
    """Refuse a request whose headers say something else than its body, or lack what the modern era requires.

    Raises:
        Refused: MALFORMED, naming the header.
    """
    version = request.header("mcp-protocol-version")
    if is_modern(call) and version != version_of(call, version):
        raise _disagrees("mcp-protocol-version")
    if version == MODERN_VERSION and not call.is_notification:
        _check_present(request, call)
    for header, stated in (("mcp-method", call.method), ("mcp-name", call.name)):
        for value in request.headers_named(header):
            if decode(value) != stated:
                raise _disagrees(header)
    params = [(name, value) for name, value in request.headers if name.startswith(_PARAM)]
    arguments = [_text(leaf) for leaf in leaves(call.arguments)] if params else []
    for header, value in params:
        if decode(value) not in arguments or [name for name, _ in params].count(header) > 1:
            raise _disagrees(header)


def _check_present(request: Request, call: Call) -> None:
    required = ["mcp-method"] + (["mcp-name"] if call.method in _NAMED and call.name is not None else [])
    for header in required:
        if request.header(header) is None:
            raise Refused(
                Cause.MALFORMED,
                f"the header {header} is missing",
                next_step="Send the headers that this protocol version requires.",
                specified=Specified(HEADER_MISMATCH, {}),
            )


def mirror(headers: Headers, before: Message, after: Message) -> Headers:
    """``headers`` with every one that repeats a name or an argument of ``before`` as ``after`` has it."""
    if not isinstance(before, Call) or not isinstance(after, Call):
        return headers
    if after.name is not None and before.name != after.name:  # an address with a mask that was restored
        headers = tuple((n, encode(after.name)) if n == "mcp-name" else (n, v) for n, v in headers)
    if not any(name.startswith(_PARAM) for name, _ in headers):
        return headers
    old, new = ([_text(leaf) for leaf in leaves(call.arguments)] for call in (before, after))
    if old == new:
        return headers
    if len(old) != len(new):  # masking removed a member: no mirror can be vouched for
        return tuple((n, v) for n, v in headers if not n.startswith(_PARAM))
    return tuple((n, encode(new[old.index(decode(v))]) if n.startswith(_PARAM) else v) for n, v in headers)


def leaves(value: Json) -> list[Json]:
    """Every scalar inside ``value``, in order."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [value]


def _text(leaf: Json) -> str:
    if isinstance(leaf, bool):
        return "true" if leaf else "false"
    return "null" if leaf is None else str(leaf)


def decode(value: str) -> str:
    """A mirrored header's value: plain, or ``=?base64?...?=`` (MCP 2026-07-28, basic/transports).

    Raises:
        Refused: MALFORMED, where the base64 form does not decode.
    """
    match = _BASE64.fullmatch(value)
    if match is None:
        return value
    try:
        return base64.b64decode(match[1], validate=True).decode("utf-8", "strict")
    except (binascii.Error, UnicodeDecodeError):
        mismatch = Specified(HEADER_MISMATCH, {})
        raise Refused(Cause.MALFORMED, "a mirrored header is no base64 text", specified=mismatch) from None


def encode(text: str) -> str:
    """The inverse of :func:`decode`; base64 only where plain text would not survive as a header."""
    if _VISIBLE.fullmatch(text) and text == text.strip() and not text.startswith("=?"):
        return text
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


def _disagrees(header: str) -> Refused:
    return Refused(
        Cause.MALFORMED,
        f"the header {header} disagrees with the body",
        next_step="Send headers that repeat the body exactly.",
        specified=Specified(HEADER_MISMATCH, {}),
    )
