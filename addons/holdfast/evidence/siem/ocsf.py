"""Records as events of the Open Cybersecurity Schema Framework, one JSON line each, for a SIEM.

Standard library only. A line follows from its Record alone, so the same Records give the same bytes. Nothing that a
Record says is lost on the way: what OCSF has no attribute for stands under ``unmapped``, named as in the Record.
"""

import datetime as dt
import functools
import hashlib
import ipaddress
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from holdfast.clock import utc_parse
from holdfast.errors import Cause
from holdfast.evidence.files.entry import Entry
from holdfast.evidence.siem.ocsf_members import Said, rest_of
from holdfast.evidence.siem.ocsf_terms import (
    API_ACTIVITY,
    OTHER,
    SEVERITIES,
    action_of,
    activity_of,
    class_of,
    policy_type_of,
    severity_of,
    status_of,
)
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.tree import leaf_hash

_CANONICAL: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True, check_circular=False
)
VERSION: Final = "1.8.0"
PRODUCT: Final = "Holdfast"
_CATEGORY: Final = (6, "Application Activity")
_SHA256: Final[JsonObject] = {"algorithm_id": 3, "algorithm": "SHA-256"}
_HTTP_METHODS: Final = {"post": "POST", "get": "GET", "sse": "GET", "delete": "DELETE"}
_HOST: Final = re.compile(r"\[?(?P<host>[^\]]+?)\]?(?::(?P<port>[0-9]{1,5}))?")
_PORT_MAX: Final = 65535
_CACHE_COUNT_MAX: Final = 4096  # a day's clients and tokens, of which each makes many calls
_ADDRESS_CHARS_MAX: Final = 40  # of OCSF's ip_t; a zone can be longer
_KINDS: Final = (("tools/", "tool"), ("prompts/", "prompt"), ("resources/", "resource"), ("tasks/", "task"))


def lines(entries: Iterable[Entry]) -> Iterator[bytes]:
    """One line for each Record, with its line feed, in the order given: `siem/ocsf.jsonl`."""
    return map(line, entries)


def line(entry: Entry) -> bytes:
    """The line of one Record, with its line feed."""
    # As jsontext.canonical writes it, without its search for a value within itself: an event was made just now.
    return _CANONICAL.encode(event(entry)).encode("utf-8") + b"\n"


def event(entry: Entry) -> JsonObject:
    """The Record as an event of OCSF 1.8.0."""
    is_api = class_of(entry) is API_ACTIVITY
    said = Said(entry)
    made = _shared(entry, said) | (_api_activity(entry, said) if is_api else _lifecycle(said))
    rest = rest_of(entry, is_api=is_api)
    # Not OCSF 1.9's attestation, which is over the event itself: this leaf is over the Record that the event tells of.
    rest["record_integrity"] = {"chain_uid": said.text("log"), "leaf_hash": leaf_hash(entry.data).hex()}
    return made | {"unmapped": rest}


def _shared(entry: Entry, said: Said) -> JsonObject:
    cls, (activity, activity_name) = class_of(entry), activity_of(entry)
    severity, (status_id, status) = severity_of(entry), status_of(entry)
    type_uid = cls.uid * 100 + activity
    caption = "Other" if activity == OTHER else activity_name
    return _present(
        category_uid=_CATEGORY[0],
        category_name=_CATEGORY[1],
        class_uid=cls.uid,
        class_name=cls.caption,
        activity_id=activity,
        activity_name=activity_name,
        type_uid=type_uid,
        type_name=cls.caption + ": " + caption,
        severity_id=severity,
        severity=SEVERITIES[severity],
        status_id=status_id,
        status=status,
        status_code=said.text("cause") or said.text("out.code"),
        status_detail=said.text("reason") or said.text("dec.reason"),
        message=_message(entry, said),
        time=_ms(entry.at),
        timezone_offset=0,
        duration=said.number("out.ms"),
        metadata=_metadata(entry, said),
        raw_data_size=len(entry.data),
        raw_data_hash={**_SHA256, "value": hashlib.sha256(entry.data).hexdigest()},
    )


def _message(entry: Entry, said: Said) -> str:
    who = said.text("who.name") or said.text("who.sub") or said.text("approver.name")
    what = (entry.typ, said.text("rpc.method"), said.text("mcp.name") or said.text("tool.name"))
    return " ".join(word for word in what if word) + (" by " + who if who else "")


def _metadata(entry: Entry, said: Said) -> JsonObject:
    is_api = class_of(entry) is API_ACTIVITY
    # The attributes of a profile may stand in an event only if the event names the profile.
    profiles = ["security_control", "ai_operation"] if is_api else ["host"] * ("operator" in entry.body)
    return _present(
        version=VERSION,
        product=_present(name=PRODUCT, vendor_name=PRODUCT, version=said.text("gw.version")),
        profiles=[*profiles],
        uid=said.text("id"),
        sequence=entry.index,
        event_code=entry.typ,
        correlation_uid=said.text("call"),
        log_name=said.text("log"),
        log_version=said.text("v"),
        logged_time=_ms(entry.at),
        original_time=said.text("ts"),
    )


def _lifecycle(said: Said) -> JsonObject:
    app = _present(name=PRODUCT, vendor_name=PRODUCT, version=said.text("gw.version"))
    user = _present(uid=said.text("operator.uid"), name=said.text("operator.name"))
    return _present(app=app, actor={"user": user} if user else {})


def _api_activity(entry: Entry, said: Said) -> JsonObject:
    action, action_name = action_of(entry)
    rules = said.text("rules")
    return _present(
        actor=_actor(entry, said),
        api=_api(entry, said),
        src_endpoint=_source(said),
        dst_endpoint=_destination(said),
        http_request=_http_request(said),
        http_response=_present(code=said.number("res.http") or said.number("http")),
        resources=_resources(entry, said),
        action_id=action,
        action=action_name,
        authorizations=_authorizations(entry, said),
        policy=_present(uid=rules, type="ruleset") if rules else {},
        message_context=_context(said),
    )


def _actor(entry: Entry, said: Said) -> JsonObject:
    member = "approver" if "approver" in entry.body else "who"
    if member not in entry.body:
        return _nobody(said)
    groups: list[Json] = [{"name": group} for group in entry.texts(member, "groups")]
    user = _present(
        uid=said.text(member + ".sub") or said.text(member + ".id"),
        uid_alt=said.text(member + ".id"),
        display_name=said.text(member + ".name"),
        groups=groups,
        credential_uid=said.text(member + ".token") or said.text(member + ".key"),
    )
    if not {"uid", "name"} & set(user):
        user["name"] = said.text(member + ".name") or "unknown"  # OCSF wants one of the two
    issuer = said.text(member + ".iss")
    expires_ms = _ms_of(said.text(member + ".exp"))
    session = _present(uid=said.text("sid"), issuer=issuer, expiration_time=expires_ms)
    return _present(
        user=user,
        session=session,
        idp=_present(uid=issuer),
        app_uid=said.text(member + ".client"),
    )


def _nobody(said: Said) -> JsonObject:
    """Somebody whose identity was not established, or, where nothing came from outside, the gateway itself."""
    session = _present(uid=said.text("sid"))
    if said.text("src.ip"):
        return _present(user={"name": "unknown", "type_id": 0, "type": "Unknown"}, session=session)
    return _present(app_name=PRODUCT, app_uid=said.text("log"), session=session)


def _api(entry: Entry, said: Said) -> JsonObject:
    code, is_ok = said.members.get("out.code"), said.members.get("out.ok")
    word = code if isinstance(code, str) else ""
    response = _present(
        code=said.number("out.code"), error="" if is_ok else word, message=word if is_ok else ""
    )  # fmt: skip
    return _present(
        operation=said.text("rpc.method") or entry.typ,
        request=_present(uid=said.text("rpc.id")),
        response=response,
        service=_present(name=said.text("dst.server")),
        version=said.text("mcp.version"),
    )


def _source(said: Said) -> JsonObject:
    text = said.text("src.ip")
    if not text:
        return {"name": said.text("log")}  # the gateway did it of itself; the attribute is required
    port = said.number("src.port")
    # A decision comes through a socket of the file system: `unix:uid=1000` is no address.
    place: JsonObject = {"ip": text} if _is_address(text) else {"name": text}
    return place | _present(port=port if port is not None and port <= _PORT_MAX else None)


def _destination(said: Said) -> JsonObject:
    host, port = _host_and_port(said.text("dst.host"))
    place = _present(ip=host) if _is_address(host) else _present(hostname=host)
    return place | _present(svc_name=said.text("dst.server"), port=port)


def _host_and_port(text: str) -> tuple[str, int | None]:
    found = _HOST.fullmatch(text)
    if found is None or (found["port"] is not None and int(found["port"]) > _PORT_MAX):
        return text, None
    return found["host"], None if found["port"] is None else int(found["port"])


@functools.lru_cache(maxsize=_CACHE_COUNT_MAX)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return len(text) <= _ADDRESS_CHARS_MAX


def _http_request(said: Said) -> JsonObject:
    path = said.text("dst.path")
    return _present(
        http_method=_HTTP_METHODS.get(said.text("mcp.transport")),
        url=_present(path=path),
        user_agent=said.text("src.ua"),
    )


def _resources(entry: Entry, said: Said) -> list[Json]:
    method = said.text("rpc.method")
    defined = (said.text("tool.kind") or "tool") if entry.typ.startswith("tool.") else ""
    kind = defined or next((k for start, k in _KINDS if method.startswith(start)), "")
    name = said.text("tool.name") or said.text("mcp.name")
    version = said.text("tool.digest") or said.text("mcp.definition")
    return [_present(name=name, type=kind, version=version)] if name else []


def _authorizations(entry: Entry, said: Said) -> list[Json]:
    decision = said.text("decision") or said.text("dec.effect")
    rule, kind = said.text("dec.rule") or said.text("rule"), policy_type_of(entry)
    if entry.typ == "refused" and (rule or kind):
        decision = decision or ("hold" if said.text("cause") == Cause.HOLD_PENDING.value else "deny")
    if not decision:
        return []
    desc, rules = said.text("dec.reason"), said.text("rules")
    policy = _present(uid=rule, type=kind, desc=desc, version=rules)
    return [_present(decision=decision, policy=policy if rule or kind else {})]


def _context(said: Said) -> JsonObject:
    server = said.text("dst.server")
    if not server:
        return {}
    client = said.text("who.client")
    return _present(name="MCP", uid=said.text("sid"), service={"name": server}, application=_present(uid=client))


def _present(**members: Json) -> JsonObject:
    """``members`` without those that hold nothing: OCSF leaves out what is not known."""
    return {name: value for name, value in members.items() if value or isinstance(value, int)}


def _ms(at: dt.datetime) -> int:
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


@functools.lru_cache(maxsize=_CACHE_COUNT_MAX)
def _ms_of(text: str) -> int | None:
    try:
        return _ms(utc_parse(text)) if text else None
    except ValueError:  # digits in the form of a time, and no such time
        return None
