"""The digest that binds an Approval to one exact Call.

It covers all that would be forwarded and whom it is forwarded for. Only what a client must change between two attempts
at the same call is left out (the id, progress tokens, trace context, what it says about itself), so that a repeat is
known as a repeat.
"""

import dataclasses
import hashlib
import hmac
from typing import Final

from holdfast import jsontext
from holdfast.call import Call
from holdfast.jsontext import Json, JsonObject

_DOMAIN: Final = b"holdfast/request/v1\0"
# MCP schema, RequestMetaObject: a token per attempt, and the trace context of OpenTelemetry (SEP-414);
# not its baggage, which carries anything.
_META_VOLATILE: Final = frozenset(
    {"progressToken", "traceparent", "tracestate"}
    # MCP 2026-07-28: what a client says about itself with every request.
    | {f"io.modelcontextprotocol/{name}" for name in ("protocolVersion", "clientInfo", "clientCapabilities")}
)


@dataclasses.dataclass(frozen=True, slots=True)
class Around:
    """What belongs to a Call and does not stand in it.

    ``path`` is the address it goes to, ``mirrors`` are the headers that repeat it, ``act`` is the delegation chain of
    its Caller; ``definition`` tells which wording of its tool's definition an approver saw, where that is not trusted.
    """

    path: str = ""
    mirrors: tuple[tuple[str, str], ...] = ()
    act: tuple[str, ...] = ()
    definition: str = ""


NOTHING_AROUND: Final = Around()


def request_digest_hex(key: bytes, server: str, call: Call, around: Around = NOTHING_AROUND) -> str:
    """HMAC-SHA256 over ``call`` and what is around it, as 64 lower-case hex digits.

    It is keyed because a digest of a short argument could be guessed by trying. The id is not covered: a client that
    repeats a call gives it a new one.

    Args:
        key: the gateway's request key, 32 bytes.
        server: the name of the MCP server in the rules.
        call: the Call as it would be forwarded.
        around: its address, mirrored headers, delegation chain, and a definition that is not trusted.
    """
    covered: JsonObject = {
        "server": server,
        "method": call.method,
        "params": _stable(call.params),
        "extra": call.extra,
        "path": around.path,
        "mirrors": [[name, value] for name, value in sorted(around.mirrors)],
        "act": list(around.act),
    }
    if around.definition:
        covered["definition"] = around.definition
    return hmac.new(key, _DOMAIN + jsontext.canonical(covered), hashlib.sha256).hexdigest()


def _stable(params: Json) -> Json:
    meta = params.get("_meta") if isinstance(params, dict) else None
    if not isinstance(params, dict) or not isinstance(meta, dict):
        return params
    kept = {name: value for name, value in params.items() if name != "_meta"}
    stable: JsonObject = {name: value for name, value in meta.items() if name not in _META_VOLATILE}
    return {**kept, "_meta": stable} if stable else kept
