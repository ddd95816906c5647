"""What differs for an LLM server on the way of a request: which API is asked, who asks, and what goes out."""

import dataclasses
from typing import Final

from holdfast.errors import Cause, Refused
from holdfast.exchange import Headers, Outgoing, Request
from holdfast.llm import headers
from holdfast.llm.apis import Api, api_at
from holdfast.policy.servers import Kind, Server
from holdfast.stations import Trail

BETA: Final = "beta=true"  # Anthropic's SDKs ask so for what is in beta
_KEY: Final = "x-api-key"  # where SDKs of Anthropic's put what they were given as a key


def api_of(server: Server | None, path: str) -> Api | None:
    """The API that answers at ``path`` of the gateway; None where an MCP server does, or nobody."""
    return api_at(server.paths[path]) if server is not None and server.kind is Kind.LLM else None


def credentialed(request: Request, api: Api | None) -> Request:
    """``request`` with its credential where identity looks for it.

    Whoever sets up an SDK with the gateway's token as its key sends it as `x-api-key`. It is judged like any bearer
    token; a request that brings both is refused for having two.
    """
    if api is None:
        return request
    moved = tuple(("authorization", f"Bearer {value}") for value in request.headers_named(_KEY))
    return dataclasses.replace(request, headers=(*request.headers, *moved)) if moved else request


def outgoing(trail: Trail, body: bytes) -> Outgoing:
    """What goes to the API: the headers that travel, with the gateway's own credential.

    Raises:
        Refused: MALFORMED, see :func:`~holdfast.llm.headers.to_server`; UNSUPPORTED, an address with a query.
    """
    request, server = trail.request, trail.server
    _, mark, query = request.path.partition("?")
    if mark and query != BETA:
        raise Refused(Cause.UNSUPPORTED, "the address of an LLM API has no query here but that for its beta")
    sent: Headers = headers.to_server(request, server.upstream.host_text(), trail.force.masker.keep_text)
    if server.credential is not None:
        sent = (*sent, server.credential)
    return Outgoing(
        server.upstream, "POST", trail.upstream_path + mark + query, (*sent, ("content-length", str(len(body)))), body
    )
