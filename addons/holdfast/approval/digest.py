"""The digest that binds an Approval to one exact Call.

It covers what would be forwarded: server, method and params. What clients change between two attempts at the same call
(progress tokens, trace context, the resumption state of a hold) is left out, so that a repeat is known as a repeat.
"""

import hashlib
import hmac
from typing import Final

from holdfast import jsontext
from holdfast.call import Call
from holdfast.jsontext import Json, JsonObject

_DOMAIN: Final = b"holdfast/request/v1\0"
# MCP schema, RequestMetaObject: a token per attempt, and the trace context of OpenTelemetry (SEP-414).
_META_VOLATILE: Final = frozenset({"progressToken", "traceparent", "tracestate", "baggage"})
_META_VOLATILE_PREFIX: Final = "io.modelcontextprotocol/"  # version, client and capabilities, sent with every request
# MCP 2026-07-28, multi round-trip requests: present on a retry only.
_PARAMS_VOLATILE: Final = frozenset({"requestState", "inputResponses"})


def request_digest_hex(key: bytes, server: str, call: Call) -> str:
    """HMAC-SHA256 over server, method and params of ``call``, as 64 lower-case hex digits.

    It is keyed because a digest of a short argument could be guessed by trying. The id and the direction's bookkeeping
    are not covered: a client that repeats a call gives it a new id.

    Args:
        key: the gateway's request key, 32 bytes.
        server: the name of the MCP server in the rules.
        call: the Call as it would be forwarded.
    """
    covered: JsonObject = {"server": server, "method": call.method, "params": _stable(call.params)}
    return hmac.new(key, _DOMAIN + jsontext.canonical(covered), hashlib.sha256).hexdigest()


def _stable(params: Json) -> Json:
    if not isinstance(params, dict):
        return params
    kept = {name: value for name, value in params.items() if name not in _PARAMS_VOLATILE}
    meta = kept.get("_meta")
    if isinstance(meta, dict):
        kept["_meta"] = {name: value for name, value in meta.items() if not _is_volatile(name)}
        if not kept["_meta"]:
            del kept["_meta"]
    return kept


def _is_volatile(name: str) -> bool:
    return name in _META_VOLATILE or name.startswith(_META_VOLATILE_PREFIX)
