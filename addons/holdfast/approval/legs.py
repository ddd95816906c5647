"""The wait of a held Call in the modern era, cut into legs that every client sits out.

MCP 2026-07-28 has no session to come back to. A request that needs more time is answered ``input_required`` with a
``requestState``, and the client sends the same request again with that state (multi-round-trip requests, SEP-2322).
Each leg waits for at most :data:`LEG_S`; after the last one the answer is a ticket.

The state is sealed: AES-256-GCM under a key made from the gateway's request key, with the Caller as associated data. It
says which request was held (its keyed digest), until when, and which leg comes next; and it carries what the client had
sent in the places that the gateway's own answer took, so that the request is again what it was. It needs no memory here
and outlives a restart. It permits nothing: the call goes out by a grant, which the ledger takes once.
"""

import base64
import binascii
import dataclasses
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from holdfast import jsontext
from holdfast.approval.holds import RandomBytes
from holdfast.call import Call, Direction, is_modern
from holdfast.clock import Clock
from holdfast.errors import Cause, Refused
from holdfast.identity.caller import Caller
from holdfast.jsontext import Json, JsonObject

LEG_S: Final = 45  # clients of the TypeScript SDK give one request 60 s
LEGS_MAX: Final = 9  # the SDKs give up after ten rounds
STATE_BYTES_MAX: Final = 256 * 1024  # answers that a client gave to a server come back inside it
PREFIX: Final = "hf1."
# MCP 2026-07-28, basic/patterns/mrtr: the requests that may be answered with input_required.
METHODS: Final = frozenset({"tools/call", "resources/read", "prompts/get"})
PAGE_KEY: Final = "holdfast.approval"  # names our input request; the client answers under it
_CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"
_PLACES: Final = ("requestState", "inputResponses")
_NONCE_BYTES: Final = 12  # NIST SP 800-38D, 8.2.2
_INFO: Final = b"holdfast/request-state/v1"


@dataclasses.dataclass(frozen=True, slots=True)
class Leg:
    """Where in its wait a request stands.

    ``number`` counts from 0, the request as it came first. ``digest_hex`` is the digest of what was held; None on the
    first leg. ``inner`` is what the client had sent in the places that the gateway's answer takes. ``declined`` says
    that the client's user would not look at the page about the hold.
    """

    number: int = 0
    digest_hex: str | None = None
    inner: JsonObject = dataclasses.field(default_factory=dict)
    declined: bool = False


FIRST: Final = Leg()


def can_resume(call: Call) -> bool:
    """Whether ``call`` may be answered with ``input_required``."""
    return is_modern(call) and call.method in METHODS and call.id is not None


def shows_pages(call: Call) -> bool:
    """Whether the client says that it can show its user a page (elicitation in URL mode)."""
    stated = call.meta.get(_CAPABILITIES)
    elicitation = stated.get("elicitation") if isinstance(stated, dict) else None
    return isinstance(elicitation, dict) and isinstance(elicitation.get("url"), dict)


class Legs:
    """Seals the state of a wait, and opens it again.

    Args:
        request_key: the gateway's request key, 32 bytes.
        clock: wall time, against which a state expires.
        random_bytes: where nonces come from.
    """

    def __init__(self, request_key: bytes, clock: Clock, random_bytes: RandomBytes = secrets.token_bytes) -> None:
        self._aead = AESGCM(HKDF(SHA256(), 32, salt=None, info=_INFO).derive(request_key))
        self._clock = clock
        self._random_bytes = random_bytes

    def resume(self, call: Call, caller: Caller) -> tuple[Call, Leg]:
        """``call`` as it was when it was held, and the leg that begins now; a call without a state of ours as it is.

        Raises:
            Refused: MALFORMED, the state is not one that this gateway gave to this Caller; HOLD_EXPIRED.
        """
        state = call.member("requestState")
        if not isinstance(state, str) or not state.startswith(PREFIX) or call.direction is not Direction.TO_SERVER:
            return call, FIRST
        params = call.params
        if not isinstance(params, dict) or not can_resume(call):
            raise _unknown()
        opened = self._open(state, caller)
        inner, number, digest_hex = opened.get("inner"), opened.get("leg"), opened.get("digest")
        if not isinstance(inner, dict) or not isinstance(number, int) or not isinstance(digest_hex, str):
            raise _unknown()
        kept = {name: value for name, value in params.items() if name not in _PLACES}
        declined = _declined(params.get("inputResponses"))
        return dataclasses.replace(call, params={**kept, **inner}), Leg(number, digest_hex, inner, declined)

    def next_state(self, call: Call, leg: Leg, digest_hex: str, caller: Caller, expires_s: int) -> str | None:
        """The sealed state with which ``call`` comes back for another leg; None where it must not or cannot.

        Args:
            call: the Call as it is held, with what it carried itself in the places that a state takes.
            leg: the leg that has just ended.
            digest_hex: keyed digest of what is held.
            caller: whose it is; nobody else can use the state.
            expires_s: for how long it can be used, seconds.
        """
        if leg.number >= LEGS_MAX or leg.declined:
            return None
        params = call.params if isinstance(call.params, dict) else {}
        inner: JsonObject = {name: params[name] for name in _PLACES if name in params}
        until_s = int(self._clock.now_at().timestamp()) + expires_s
        said: JsonObject = {"digest": digest_hex, "exp": until_s, "inner": inner, "leg": leg.number + 1}
        plain = jsontext.wire(said)
        if len(plain) > STATE_BYTES_MAX:
            return None
        nonce = self._random_bytes(_NONCE_BYTES)
        sealed = nonce + self._aead.encrypt(nonce, plain, _bound_to(caller))
        return PREFIX + _text_of(sealed)

    def _open(self, state: str, caller: Caller) -> JsonObject:
        text = state.removeprefix(PREFIX)
        if len(text) > 2 * STATE_BYTES_MAX:
            raise _unknown()
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            if _text_of(sealed) != text:
                raise _unknown()
            plain = self._aead.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound_to(caller))
        except (binascii.Error, ValueError, InvalidTag):
            raise _unknown() from None
        opened = jsontext.parse(plain)
        if not isinstance(opened, dict):
            raise _unknown()
        until_s = opened.get("exp")
        if not isinstance(until_s, int) or self._clock.now_at().timestamp() > until_s:
            raise Refused(
                Cause.HOLD_EXPIRED,
                "the requestState has expired",
                next_step="Repeat the call without it to ask again.",
            )
        return opened


def input_required(state: str, page_url: str | None) -> JsonObject:
    """The result that asks the client to come back with ``state``, after showing its user ``page_url`` where given."""
    result: JsonObject = {"resultType": "input_required", "requestState": state}
    if page_url is not None:
        message = "This call waits for the approval of a person. The page says where it stands."
        params: JsonObject = {"mode": "url", "message": message, "url": page_url}
        result["inputRequests"] = {PAGE_KEY: {"method": "elicitation/create", "params": params}}
    return result


def _declined(responses: Json) -> bool:
    answer = responses.get(PAGE_KEY) if isinstance(responses, dict) else None
    return isinstance(answer, dict) and answer.get("action") in ("decline", "cancel")


def _text_of(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("=")


def _bound_to(caller: Caller) -> bytes:
    return jsontext.canonical([caller.iss, caller.sub])


def _unknown() -> Refused:
    return Refused(
        Cause.MALFORMED,
        "the requestState is not one that this gateway gave to this caller for this call",
        next_step="Repeat the call without requestState.",
    )
