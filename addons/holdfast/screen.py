"""The first look at an HTTP request: is it something an MCP endpoint is asked at all?

Nothing here needs the body or the Caller. What is not known to be MCP is refused: the gateway stands before MCP
servers, not before web sites.
"""

import dataclasses
import re
import urllib.parse
from typing import Final

from holdfast.approval.page import HOLD_PATH
from holdfast.errors import Cause, Refused
from holdfast.exchange import HEADERS_BYTES_MAX, HEADERS_COUNT_MAX, Request
from holdfast.hosts import Hosts
from holdfast.passage import Kind
from holdfast.wireheaders import SESSION_ID, media_type

METADATA_PATH: Final = "/.well-known/oauth-protected-resource"  # RFC 9728, section 3.1
PATH_CHARS_MAX: Final = 1024
_TARGET: Final = re.compile(rf"/[\x21-\x22\x24-\x7e]{{0,{PATH_CHARS_MAX - 1}}}")  # visible ASCII without a fragment
QUERY_FIELDS_MAX: Final = 10  # one is the session; the rest is refused by name, which tells a client more
# HTTP+SSE (2024-11-05) has its session in the query of the POST address.
FLAG: Final = ("beta", "true")  # of Anthropic's API; to an MCP server nothing goes out with it
SESSION_QUERY: Final = frozenset({"sessionId", "session_id", "sessionid"})
# A header that two readers would read differently when it comes twice.
_ONCE: Final = frozenset(
    {"authorization", "content-type", "content-length", "host", "mcp-session-id", "mcp-protocol-version", "mcp-method"}
    | {"mcp-name", "last-event-id", "origin", "accept-encoding", "content-encoding", "transfer-encoding"}
)


@dataclasses.dataclass(frozen=True, slots=True)
class Screened:
    """A request that is MCP by its outside: what it wants, the path it goes to, and the session it names."""

    kind: Kind
    path: str
    session: str | None


def screen(request: Request, allowed_origins: frozenset[str], hosts: Hosts) -> Screened:
    """What ``request`` wants, and its session id.

    Raises:
        Refused: MALFORMED, UNSUPPORTED, TOO_LARGE or FORBIDDEN (Host, Origin).
    """
    _check_headers(request)
    _check_host(request, hosts)
    _check_origin(request, allowed_origins)
    path, _, query = request.path.partition("?")
    if request.method == "GET" and (path == METADATA_PATH or path.startswith(METADATA_PATH + "/")):
        return Screened(Kind.METADATA, path, None)
    if request.method == "GET" and path.startswith(HOLD_PATH):
        return Screened(Kind.HOLD_PAGE, path, None)
    session = _session(request, query)
    match request.method:
        case "POST":
            if media_type(request.header("content-type")) != "application/json":
                raise Refused(Cause.UNSUPPORTED, "the content type is not application/json")
            return Screened(Kind.POST, path, session)
        case "GET":
            accepted = {media_type(part) for value in request.headers_named("accept") for part in value.split(",")}
            if not accepted & {"text/event-stream", "text/*", "*/*"}:
                raise Refused(Cause.UNSUPPORTED, "a GET does not accept text/event-stream")
            _refuse_body(request)
            return Screened(Kind.STREAM, path, session)
        case "DELETE":
            _refuse_body(request)
            return Screened(Kind.END_SESSION, path, session)
        case _:
            raise Refused(Cause.UNSUPPORTED, "the HTTP method is none of POST, GET and DELETE")


def _check_headers(request: Request) -> None:
    if not _TARGET.fullmatch(request.path):
        raise Refused(Cause.MALFORMED, "the request target is not a short path")
    if len(request.headers) > HEADERS_COUNT_MAX:
        raise Refused(Cause.TOO_LARGE, f"more than {HEADERS_COUNT_MAX} headers")
    if sum(len(name) + len(value) for name, value in request.headers) > HEADERS_BYTES_MAX:
        raise Refused(Cause.TOO_LARGE, f"more than {HEADERS_BYTES_MAX} bytes of headers")
    seen: set[str] = set()
    for name, value in request.headers:
        # RFC 9110 5.5: CR, LF and NUL are invalid in a value; obs-fold is a CR or LF too.
        if any(char in value for char in "\r\n\0"):
            raise Refused(Cause.MALFORMED, "a header has a control character")
        if name in _ONCE and name in seen:
            raise Refused(Cause.MALFORMED, f"the header {name} comes twice")
        seen.add(name)
    if "upgrade" in seen or "http2-settings" in seen:
        raise Refused(Cause.UNSUPPORTED, "protocol upgrades are not carried")
    if request.header("content-encoding") not in (None, "identity"):
        raise Refused(Cause.UNSUPPORTED, "compressed bodies are not carried", next_step="Send the body as it is.")


def _check_host(request: Request, hosts: Hosts) -> None:
    """MCP, transports, security warning: DNS rebinding sends a name that is not ours."""
    if not hosts.admit(request.header("host")):
        raise Refused(Cause.FORBIDDEN, "the Host is not the gateway's", next_step="Name it in holdfast_hosts.")


def _check_origin(request: Request, allowed: frozenset[str]) -> None:
    """MCP, transports, security warning: a foreign Origin is refused, against DNS rebinding."""
    origin = request.header("origin")
    if origin is not None and origin not in allowed:
        raise Refused(Cause.FORBIDDEN, "the Origin is not allowed", next_step="Name it in holdfast_origins.")


def _session(request: Request, query: str) -> str | None:
    header = request.header("mcp-session-id")
    stated = [] if header is None else [header]
    try:
        fields = urllib.parse.parse_qsl(query, keep_blank_values=True, max_num_fields=QUERY_FIELDS_MAX)
    except ValueError:
        raise Refused(Cause.MALFORMED, f"the address has more than {QUERY_FIELDS_MAX} query fields") from None
    for name, value in fields:
        if (name, value) == FLAG:
            continue
        if name not in SESSION_QUERY:
            raise Refused(Cause.UNSUPPORTED, "the address has a query that is no session id")
        stated.append(value)
    # The one that is judged must be the one that the server reads.
    if len(stated) > 1:
        raise Refused(Cause.MALFORMED, "the session is named twice")
    session = stated[0] if stated else None
    if session is not None and not SESSION_ID.fullmatch(session):
        raise Refused(Cause.MALFORMED, "the session id is not a short visible text")
    return session


def _refuse_body(request: Request) -> None:
    if request.body:
        raise Refused(Cause.MALFORMED, f"a {request.method} with a body")
