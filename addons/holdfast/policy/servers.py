"""`rules/servers.yaml`: the MCP servers behind the gateway, and at which paths it answers for each of them.

A path belongs to one server, so the address that a client asks decides where its messages may go, and nothing that it
says can send them elsewhere. Without the file, or with an empty list, there is one server: the one of the options.
"""

import dataclasses
import enum
import ipaddress
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Final

from holdfast.exchange import Upstream
from holdfast.identity.caller import Caller
from holdfast.llm.apis import ENDS, api_at
from holdfast.masking.place import HOLD_BACK_CHARS, HOLD_BACK_MAX, HOLD_BACK_MIN
from holdfast.policy.decision import Deny
from holdfast.policy.document import Section, require_version
from holdfast.policy.names import Reading
from holdfast.policy.scope import Who, parse_id, parse_who

SERVERS_COUNT_MAX: Final = 200  # people read the file; each server costs nothing but its entry
PATHS_COUNT_MAX: Final = 50  # of one server; MCP needs one or two
PATH_CHARS_MAX: Final = 256
# An endpoint's path: nothing to decode, nothing empty, no segment that climbs.
PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+/?|/")
_OURS: Final = "/.well-known/"  # RFC 8615: the gateway's own documents, not a server's
_HOST: Final = re.compile(r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_HEADER: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
# What the gateway or HTTP itself says in a header is no place for a credential.
_TAKEN: Final = re.compile(
    r"host|content-.*|transfer-encoding|connection|te|trailer|upgrade|expect|accept.*|cookie|user-agent|mcp-.*"
    r"|last-event-id|keep-alive|proxy-.*"
)
AUTHORIZATION: Final = "authorization"


class Kind(enum.Enum):
    """What a server speaks."""

    MCP = "mcp"
    LLM = "llm"


@dataclasses.dataclass(frozen=True, slots=True)
class Server:
    """One server behind the gateway.

    ``paths`` leads from each endpoint at the gateway to the path at the server. ``credential`` is the header with which
    the gateway shows itself to the server; it is read from ``credential_file`` when the rules come into force, and is
    no part of the rules. ``callers`` says who may use the server at all; in ``caller_header`` the server is told which
    Caller asks, as a keyed digest. ``hold_back_chars`` is how much of a streamed text of an LLM waits for what follows.
    """

    id: str
    upstream: Upstream
    paths: Mapping[str, str]
    kind: Kind = Kind.MCP
    callers: Who = dataclasses.field(default_factory=Who)
    hold_back_chars: int = HOLD_BACK_CHARS
    credential_file: str | None = None
    credential_header: str = AUTHORIZATION
    credential: tuple[str, str] | None = dataclasses.field(default=None, repr=False)
    caller_header: str | None = None
    line: int = 1

    def denies(self, caller: Caller) -> Deny | None:
        """The denial of a Caller who may not use the server at all, by the rule that is the server's entry."""
        if self.callers.why_not(caller) is None:
            return None
        return Deny(self.id, "this server is not for this caller")


@dataclasses.dataclass(frozen=True, slots=True)
class Servers:
    """The servers in the order of the file, found by path."""

    listed: tuple[Server, ...]
    by_path: Mapping[str, Server] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_path", {path: server for server in self.listed for path in server.paths})

    def at(self, path: str) -> Server | None:
        """The server whose endpoint ``path`` is at the gateway, or None."""
        return self.by_path.get(path)

    def alone(self) -> Server | None:
        """The only server, or None where there are several."""
        return self.listed[0] if len(self.listed) == 1 else None


def parse_servers(section: Section) -> tuple[Server, ...]:
    """The servers of `servers.yaml`, without their credentials.

    Raises:
        RulesError: names file, line and key.
    """
    require_version(section)
    ids: set[str] = set()
    claimed: dict[str, str] = {}
    servers = tuple(_server(entry, ids, claimed) for entry in section.sections("servers"))
    if "servers" not in section:
        raise section.error("servers", "is missing", "Add `servers:`; `servers: []` means the one of the options")
    if len(servers) > SERVERS_COUNT_MAX:
        raise section.error("servers", f"has {len(servers)} entries", f"Keep it under {SERVERS_COUNT_MAX}")
    section.done()
    return servers


def parse_upstream(text: str) -> Upstream:
    """The address that ``text`` spells: ``http://HOST:PORT`` or ``https://HOST``.

    Raises:
        ValueError: it is no such address; the message says what is wrong, to follow the name of a key.
    """
    parts = urllib.parse.urlsplit(text)
    if parts.scheme not in ("http", "https") or not text.startswith(f"{parts.scheme}://"):
        raise ValueError("is no http:// or https:// address")
    if parts.path not in ("", "/") or parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("has more than scheme, host and port")
    host, tls = parts.hostname or "", parts.scheme == "https"
    port = parts.port  # raises ValueError: "Port out of range 0-65535"
    if "@" in parts.netloc or port == 0 or parts.netloc.endswith(":") or not _is_host(host):
        raise ValueError("has no plain host and port")
    return Upstream(host, port or (443 if tls else 80), tls)


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _HOST.fullmatch(host) is not None
    try:
        return "%" not in host and ipaddress.ip_address(host).version == 6  # noqa: PLR2004 -- IPv6
    except ValueError:
        return False


def is_free(header: str) -> bool:
    """Whether ``header`` (lower case) is one that neither HTTP, nor MCP, nor the gateway says anything in."""
    return _HEADER.fullmatch(header) is not None and _TAKEN.fullmatch(header) is None


def check_path(path: str) -> None:
    """Refuse what is no plain path of an endpoint.

    Raises:
        ValueError: says what is wrong, to follow the name of a key.
    """
    if len(path) > PATH_CHARS_MAX or not PATH.fullmatch(path):
        raise ValueError(f"has {path[:PATH_CHARS_MAX]!r}, which is no plain path")


def _server(entry: Section, ids: set[str], claimed: dict[str, str]) -> Server:
    server_id = parse_id(entry, ids)
    header = entry.text("credential_header", AUTHORIZATION).lower()
    if not is_free(header):
        raise entry.error("credential_header", "is no header for a credential", "Use one such as x-api-key")
    caller_header = entry.text_or_none("caller_header")
    if caller_header is not None and (not is_free(caller_header.lower()) or caller_header.lower() == header):
        raise entry.error("caller_header", "is no header of its own", "Use one such as x-holdfast-caller")
    file = entry.text_or_none("credential_file")
    if file is None and "credential_header" in entry:
        raise entry.error("credential_header", "has no credential", "Add `credential_file:`")
    if file is not None and (not file or "\0" in file):
        raise entry.error("credential_file", "names no file", "Write the path of a file, mode 0600")
    server = Server(
        id=server_id,
        upstream=_upstream(entry),
        paths=_paths(entry, server_id, claimed),
        kind=Kind(entry.choice("kind", [kind.value for kind in Kind], Kind.MCP.value)),
        callers=parse_who(entry, "callers", Reading.NARROW),
        credential_file=file,
        credential_header=header,
        hold_back_chars=entry.integer("hold_back_chars", HOLD_BACK_CHARS, low=HOLD_BACK_MIN, high=HOLD_BACK_MAX),
        caller_header=caller_header.lower() if caller_header is not None else None,
        line=entry.line,
    )
    _check_kind(entry, server)
    entry.done()
    return server


def _check_kind(entry: Section, server: Server) -> None:
    if server.kind is not Kind.LLM:
        if "hold_back_chars" in entry:
            raise entry.error("hold_back_chars", "is about LLM APIs", "Remove it, or write `kind: llm`")
        return
    for path in server.paths.values():
        if api_at(path) is None:
            raise entry.error(
                "paths", f"asks {path}, which is no API that can be judged", f"End it in {', '.join(ENDS)}"
            )


def _upstream(entry: Section) -> Upstream:
    try:
        return parse_upstream(entry.text("upstream"))
    except ValueError as error:
        raise entry.error("upstream", str(error), "Write http://HOST:PORT or https://HOST:PORT") from None


def _paths(entry: Section, server_id: str, claimed: dict[str, str]) -> dict[str, str]:
    shared = entry.text_or_none("upstream_path")
    if shared is not None:
        _check(entry, "upstream_path", shared)
    paths: dict[str, str] = {}
    for path, upstream_path in _listed(entry):
        if path in claimed:
            raise entry.error("paths", f"claims {path}, which is {claimed[path]}'s", "Give each path to one server")
        if path.startswith(_OURS):
            raise entry.error("paths", f"has {path}, which is the gateway's own", "Choose another path")
        claimed[path] = server_id
        paths[path] = upstream_path or shared or path
    if not 0 < len(paths) <= PATHS_COUNT_MAX:
        raise entry.error("paths", f"has {len(paths)} entries", f"Name 1 to {PATHS_COUNT_MAX} paths")
    return paths


def _listed(entry: Section) -> Iterator[tuple[str, str | None]]:
    """Each endpoint at the gateway, with its own path at the server where it has one."""
    raw = entry.raw("paths")
    if not isinstance(raw, list) or not any(isinstance(item, dict) for item in raw):
        for path in entry.texts("paths"):
            _check(entry, "paths", path)
            yield path, None
        return
    for item in entry.sections("paths"):
        path, upstream_path = item.text("path"), item.text_or_none("upstream_path")
        _check(item, "path", path)
        if upstream_path is not None:
            _check(item, "upstream_path", upstream_path)
        item.done()
        yield path, upstream_path


def _check(section: Section, key: str, path: str) -> None:
    try:
        check_path(path)
    except ValueError as error:
        raise section.error(key, str(error), "Write it like /crm/mcp") from None
