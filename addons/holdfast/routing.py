"""Which server a request is for, and what is asked there.

The endpoint decides, and nothing else: not the Host header, not the session, not the message. A server that announces
another path for a session (HTTP+SSE, 2024-11-05) is asked there, while its client stays at the endpoint it knows.
"""

import dataclasses
import hashlib
import hmac

from holdfast import capture, jsontext, wireheaders
from holdfast.errors import Cause, Refused
from holdfast.exchange import Outgoing
from holdfast.identity.caller import Caller
from holdfast.passage import Kind
from holdfast.policy.servers import Server
from holdfast.screen import FLAG, Screened
from holdfast.stations import Stations, Trail


def find(stations: Stations, trail: Trail, screened: Screened) -> None:
    """Note the server whose endpoint is asked at the gateway, if it is one."""
    path, session = screened.path, screened.session
    server = trail.force.servers.at(path)
    if server is None:
        return
    trail.found, trail.path, trail.upstream_path = server, path, server.paths[path]
    trail.base["dst"] = capture.dst(server, path)
    if screened.kind is Kind.POST and session is not None and "?" in trail.request.path:
        announced = stations.announced.get(stations.sessions.digest_hex(server.id, session))
        if announced is not None:
            trail.on_stream, trail.upstream_path = True, announced


def require(trail: Trail) -> None:
    """Refuse an address that is no endpoint: a server may do anything at another.

    Raises:
        Refused: NOT_FOUND.
    """
    if trail.found is None:
        raise Refused(
            Cause.NOT_FOUND,
            "the path is no endpoint of this gateway",
            next_step="See rules/servers.yaml or option holdfast_paths.",
        )


def check_caller(trail: Trail, caller: Caller) -> None:
    """Refuse a Caller who may not use the server at all.

    Raises:
        Refused: DENIED_BY_RULE.
    """
    denied = trail.server.denies(caller)
    if denied is not None:
        next_step = "Ask whoever keeps rules/servers.yaml."
        raise Refused(Cause.DENIED_BY_RULE, denied.reason, rule=denied.rule, next_step=next_step)


def outgoing(stations: Stations, trail: Trail, caller: Caller, body: bytes) -> Outgoing:
    """What goes to the server: the client's headers that travel, and those of the gateway's own.

    Raises:
        Refused: see :func:`~holdfast.wireheaders.to_server`.
    """
    request, server = trail.request, trail.server
    stripped = dataclasses.replace(request, headers=trail.force.identifier.strip(request.headers))
    headers = wireheaders.to_server(stripped, server.upstream.host_text(), trail.force.masker.keep_text)
    if server.credential is not None:
        headers = (*headers, server.credential)
    if server.caller_header is not None:
        headers = (*headers, (server.caller_header, caller_digest_hex(stations.request_key, server, caller)))
    if body or request.method == "POST":
        headers = (*headers, ("content-length", str(len(body))))
    _, mark, query = request.path.partition("?")
    if "=".join(FLAG) in query:
        raise Refused(Cause.UNSUPPORTED, "the address has a query that is no session id")
    return Outgoing(server.upstream, request.method, trail.upstream_path + mark + query, headers, body)


def caller_digest_hex(request_key: bytes, server: Server, caller: Caller) -> str:
    """What ``server`` is told of who asks: the same for the same Caller, another at another server, and no name."""
    named = jsontext.canonical([server.id, *caller.key])
    return hmac.new(request_key, b"holdfast/caller/v1\0" + named, hashlib.sha256).hexdigest()
