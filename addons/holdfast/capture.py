"""What is written about each step: from the gate's values to drafts of Records.

Every text in a draft comes from the masked view of a message (``kept``), from a rule, or from the Caller's verified
identity; the bytes of a refused request leave only their keyed digest and size.
"""

import dataclasses
import hashlib
import hmac
from typing import Final

from holdfast import jsontext
from holdfast.call import Call, Direction, Message
from holdfast.catalog import Definition
from holdfast.clock import utc_text
from holdfast.errors import Refused
from holdfast.exchange import Request
from holdfast.found import found
from holdfast.identity.caller import Caller
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Draft, Payload, Use
from holdfast.masking.finding import Masked, counts_of
from holdfast.masking.unscanned import RULE as ON_FAILURE
from holdfast.masking.unscanned import UNSCANNED
from holdfast.passage import Admission, Admitted, InForce
from holdfast.policy.servers import Server

GROUPS_COUNT_MAX: Final = 20  # a Record has 16 KiB; some directories put hundreds of groups into a token
ACTORS_COUNT_MAX: Final = 10
_UA_CHARS_MAX: Final = 200
_TEXT_CHARS_MAX: Final = 300
JSON_TYPE: Final = "application/json"
TEXT_TYPE: Final = "text/plain; charset=utf-8"


@dataclasses.dataclass(frozen=True, slots=True)
class Gateway:
    """What every Record says about the gateway.

    ``config`` is the digest of the options in force, ``build`` that of the code, both hex.
    """

    version: str
    build: str
    config: str

    def to_json(self) -> JsonObject:
        """The member ``gw``."""
        return {"version": self.version, "build": self.build, "config": self.config}


def who(caller: Caller) -> JsonObject:
    """The member ``who``: the Caller as identity established it."""
    member: JsonObject = {
        "iss": _cut(caller.iss),
        "sub": _cut(caller.sub),
        "name": _cut(caller.name),
        "aud": _cut(caller.aud),
        "groups": [_cut(group) for group in caller.groups[:GROUPS_COUNT_MAX]],
        "auth": caller.auth,
        "token": caller.token_digest_hex,
        "exp": utc_text(caller.expires_at),
    }
    if caller.client is not None:
        member["client"] = _cut(caller.client)
    if caller.act:
        member["act"] = [_cut(actor) for actor in caller.act[:ACTORS_COUNT_MAX]]
    return member


def src(request: Request, agent: str) -> JsonObject:
    """The member ``src``: where a request came from; ``agent`` is the masked User-Agent."""
    member: JsonObject = {"ip": request.peer.ip, "port": request.peer.port}
    if agent:
        member["ua"] = agent[:_UA_CHARS_MAX]
    return member


def dst(server: Server, path: str | None) -> JsonObject:
    """The member ``dst``: which server is asked, and at which endpoint of the gateway if it is one."""
    member: JsonObject = {"server": server.id, "host": server.upstream.host_text()}
    return member if path is None else {**member, "path": path}


def base(gateway: Gateway, force: InForce, request: Request, agent: str) -> JsonObject:
    """The members that every Record about ``request`` shares; ``dst`` only where there is one server to ask."""
    alone = force.servers.alone()
    member: JsonObject = {} if alone is None else {"dst": dst(alone, None)}
    return {"src": src(request, agent), **member, "gw": gateway.to_json(), "rules": force.rules.digest_hex}


def rpc(kept: Message) -> JsonObject:
    """The member ``rpc``: the masked id, the method and the way of a message."""
    member: JsonObject = {"dir": kept.direction.value}
    if isinstance(kept, Call):
        member["method"] = _cut(kept.method)
        member["kind"] = "notification" if kept.is_notification else "request"
    else:
        member["kind"] = "reply"
    if kept.id is not None:
        # RFC 7493 2.2: readers differ about larger integers.
        small = isinstance(kept.id, int) and abs(kept.id) < 2**53
        member["id"] = kept.id if small else _cut(str(kept.id))
    return member


def mcp(shared: JsonObject, kept: Message) -> JsonObject:
    """The member ``mcp`` for one message: what ``shared`` says, and the tool, prompt or resource named."""
    name = kept.name if isinstance(kept, Call) else None
    return {**shared, "name": _cut(name)} if name is not None else shared


def mask(masked: Masked, engine: JsonObject) -> JsonObject:
    """The member ``mask``: which engine looked, how much it found, and how many masks went on as their values."""
    member: JsonObject = {**engine, "counts": dict(masked.counts())}
    if masked.restored:
        member["restored"] = dict(counts_of(masked.restored))
    return member


def unscanned(refused: Refused, engine: JsonObject) -> JsonObject:
    """The member ``mask`` of a message that was refused because masking cannot vouch for it: a Finding of its own."""
    counts: dict[str, Json] = {UNSCANNED: 1}
    return {"mask": {**engine, "counts": counts}} if refused.rule == ON_FAILURE else {}


def payload(kept: Message) -> Payload:
    """The masked message as the payload of a Record."""
    return Payload(JSON_TYPE, jsontext.canonical(kept.to_json()))


def call_draft(
    shared: JsonObject, call_id: str, masked: Masked, engine: JsonObject, decision: JsonObject, use: Use | None
) -> Draft:
    """The Record without which a Call does not travel."""
    kept = masked.keep
    body: JsonObject = {**shared, "call": call_id, "rpc": rpc(kept), "dec": decision, "mask": mask(masked, engine)}
    if isinstance(shared.get("mcp"), dict):
        body["mcp"] = mcp(shared["mcp"], kept)  # type: ignore[arg-type] # checked on the line above
    return Draft("call", body, {"req": payload(kept), **found(masked)}, use)


def reply_draft(
    shared: JsonObject, answered: Admitted, masked: Masked, engine: JsonObject, outcome: JsonObject, status: int | None
) -> Draft:
    """The Record without which a Reply does not come back."""
    kept = masked.keep
    answered_kept = answered.kept
    body: JsonObject = {
        **shared,
        "call": answered.call_id,
        "ref": [answered.index],
        "rpc": rpc(kept) | ({"method": _cut(answered_kept.method)} if isinstance(answered_kept, Call) else {}),
        "mask": mask(masked, engine),
        "out": outcome,
    }
    if isinstance(shared.get("mcp"), dict):
        body["mcp"] = mcp(shared["mcp"], answered_kept)  # type: ignore[arg-type] # checked on the line above
    if status is not None:
        body["res"] = {"http": status}
    return Draft("reply", body, {"res": payload(kept), **found(masked)}, None)


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """A part of a streamed Reply: its events as they are kept; of the bytes that go the number and a keyed digest."""

    kept: list[Json]
    size_bytes: int
    digest_hex: str


def part_digest_hex(key: bytes, data: bytes) -> str:
    """The digest of ``data`` in a Record, keyed: rules may let values go that could be guessed by trying."""
    return hmac.new(key, b"holdfast/part/v1\0" + data, hashlib.sha256).hexdigest()


def part_draft(shared: JsonObject, answered: Admitted, part: Part, engine: JsonObject) -> Draft:
    """The Record without which the next part of a streamed Reply does not come back.

    How much was found says the Record of the whole Reply, or it would count twice.
    """
    kept = answered.kept
    body: JsonObject = {
        **shared,
        "call": answered.call_id,
        "ref": [answered.index],
        "rpc": {"dir": Direction.TO_CLIENT.value, "kind": "reply", "method": _cut(getattr(kept, "method", ""))},
        "mask": engine,
        "bytes": part.size_bytes,
        "digest": part.digest_hex,
    }
    if isinstance(shared.get("mcp"), dict):
        body["mcp"] = mcp(shared["mcp"], kept)  # type: ignore[arg-type] # checked on the line above
    return Draft("reply.part", body, {"res": Payload(JSON_TYPE, jsontext.canonical(part.kept))}, None)


def definition_draft(shared: JsonObject, definition: Definition) -> Draft:
    """The Record that says what something was described as; the description itself is an object of the ledger."""
    seen = definition.known.seen
    tool: JsonObject = {
        "kind": definition.key.kind,
        "name": definition.key.name,
        "digest": seen.digest_hex,
        "pin": seen.pin,
    }
    if definition.previous is not None:
        tool["previous"] = definition.previous
    if definition.changed:
        tool["changed"] = list(definition.changed)
    payloads = {"view": Payload(TEXT_TYPE, definition.view.encode())} if definition.view else {}
    return Draft(definition.typ, {**shared, "tool": tool, "dec": definition.decision}, payloads, None)


def lost_draft(admission: Admission, lost: Admitted, refused: Refused, waited_ms: int) -> Draft:
    """The Record of a Call that got no Reply."""
    body: JsonObject = {
        **admission.base,
        "call": lost.call_id,
        "ref": [lost.index],
        "rpc": rpc(lost.kept),
        "reason": refused.reason,
        "out": {"ok": False, "code": refused.cause.value, "ms": waited_ms},
        **unscanned(refused, admission.force.engine),
    }
    if refused.rule:
        body |= {"cause": refused.cause.value, "rule": refused.rule}
    return Draft("call.lost", body, {}, None)


def refused_draft(
    shared: JsonObject, refused: Refused, data: bytes, key: bytes, kept: Message | None, engine: JsonObject
) -> Draft:
    """The Record of a refusal: its cause, and of the refused bytes no more than size and keyed digest."""
    digest = hmac.new(key, b"holdfast/refused/v1\0" + data, hashlib.sha256).hexdigest()
    body: JsonObject = {
        **shared,
        "cause": refused.cause.value,
        "reason": refused.reason,
        "bytes": len(data),
        "digest": digest,
        **unscanned(refused, engine),
    }
    if isinstance(kept, Call):
        body["rpc"] = rpc(kept)
    if kept and isinstance(shared.get("mcp"), dict):
        body["mcp"] = mcp(shared["mcp"], kept)  # type: ignore[arg-type] # checked on the line above
    if refused.rule:
        body["rule"] = refused.rule
    if refused.ticket:
        body["appr"] = {"id": refused.ticket}
    return Draft("refused", body, {}, None)


def unread_draft(shared: JsonObject, refused: Refused, size_bytes: int) -> Draft:
    """The Record of a request that was no acceptable HTTP: where it came from, and how large it was."""
    body: JsonObject = {**shared, "cause": refused.cause.value, "reason": refused.reason, "bytes": size_bytes}
    return Draft("refused", body, {}, None)


def outcome(*, ok: bool, code: str | int, elapsed_ns: int) -> JsonObject:
    """The member ``out``: whether a Call succeeded, how the server put it, and milliseconds it took."""
    return {"ok": ok, "code": code, "ms": max(0, elapsed_ns // 1_000_000)}


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT_CHARS_MAX else text[:_TEXT_CHARS_MAX] + "…"
