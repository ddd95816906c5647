"""Whatever bytes, headers, method and path: an Admission that the rules allow, with its Record, or a whole Answer."""

import dataclasses
import json
import re
from collections.abc import Callable
from typing import Any, Final

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.fuzz.seeds import HOSTILE, MESSAGES
from tests.gate.works import CARD, JSON, Works, token

from holdfast.call import Call, Direction, Reply, parse_body
from holdfast.exchange import Answer, Headers, Peer, Request
from holdfast.ledger.draft import Draft, Receipt
from holdfast.ledger.ledger import Ledger
from holdfast.passage import Admission
from holdfast.policy.access import judge_access
from holdfast.policy.decision import Allow

EXAMPLES: Final = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_TOKEN_CHARS: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[\x20-\x7e\t]*")
_STATUSES: Final = frozenset({200, 202, 400, 401, 403, 404, 405, 413, 415})  # 503 would say that a stage has failed


class Noting:
    """The ledger, noting what became durable."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.durable: dict[int, Draft] = {}

    async def append(self, *drafts: Draft) -> tuple[Receipt, ...]:
        receipts = await self._ledger.append(*drafts)
        self.durable |= {receipt.index: draft for receipt, draft in zip(receipts, drafts, strict=True)}
        return receipts


# -- requests: one that passes, with some of it changed ----------------------------------------------------------------

_LATIN: Final = st.text(st.characters(max_codepoint=255), max_size=30)
_NAMES: Final = st.sampled_from(
    (
        *("content-type", "authorization", "accept", "mcp-session-id", "mcp-protocol-version"),
        *("mcp-method", "mcp-name", "mcp-param-a", "origin", "host", "last-event-id"),
        *("transfer-encoding", "content-encoding", "upgrade", "cookie", "user-agent"),
        *("x-forwarded-for", "content-length", "expect"),
    )
)
_VALUES: Final = st.sampled_from(
    (
        *("application/json", "Application/JSON; charset=utf-8", "text/event-stream", "*/*"),
        *("2025-11-25", "2026-07-28", "", "tools/call", "get_customer"),
        *("=?base64?Z2V0X2N1c3RvbWVy?=", "=?base64?!?=", "http://gw.example.com", "chunked"),
        *("identity", "gzip", "a\r\nb: c", "a\0", "null", CARD, "1" * 70_000),
    )
)
_BYTES: Final = st.sampled_from(
    [b'"', b"{", b"}", b"[", b",", b"\\ud800", b"\xff", b"\0", b"1e999", b'"id":1,', b"NaN"]
)
_BODIES: Final = st.sampled_from([json.dumps(message).encode() for message in MESSAGES]) | st.sampled_from(
    [data for data in HOSTILE if len(data) < 2000]
)
_PATHS: Final = (
    st.sampled_from(["/mcp", "/", "/mcp/", "/mcp?sessionId=a", "/mcp?session%49d=a", "/mcp?a=b", "//mcp", "/mcp#a"])
    | st.sampled_from(["/mcp?" + "sessionId=a&" * 11, "/mcp?" + "a&" * 101, "/mcp?access_token=x", "http://h/mcp", "*"])
    | st.sampled_from(["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", "/%6dcp"])
    | st.text(st.characters(max_codepoint=255), max_size=12).map("/".__add__)
)


def _with_bytes(request: Request, at: int, end: int, put: bytes) -> Request:
    body = request.body
    start = at % (len(body) + 1)
    return dataclasses.replace(request, body=body[:start] + put + body[start + end :])


def _without(headers: Headers, name: str) -> Headers:
    return tuple((key, value) for key, value in headers if key != name)


_CHANGES: Final[st.SearchStrategy[Callable[[Request], Request]]] = st.one_of(
    st.builds(
        lambda at, end, put: lambda r: _with_bytes(r, at, end, put),
        st.integers(0, 4000), st.integers(0, 9), _BYTES | st.binary(max_size=4),
    ),
    st.builds(lambda body: lambda r: dataclasses.replace(r, body=body), _BODIES | st.binary(max_size=60)),
    st.builds(
        lambda n, v: lambda r: dataclasses.replace(r, headers=(*_without(r.headers, n), (n, v))),
        _NAMES, _VALUES | _LATIN,
    ),
    st.builds(lambda n, v: lambda r: dataclasses.replace(r, headers=(*r.headers, (n, v))), _NAMES | _LATIN, _VALUES),
    st.builds(lambda n: lambda r: dataclasses.replace(r, headers=_without(r.headers, n)), _NAMES),
    st.builds(lambda path: lambda r: dataclasses.replace(r, path=path), _PATHS),
    st.builds(
        lambda method: lambda r: dataclasses.replace(r, method=method, body=b"" if method == "GET" else r.body),
        st.sampled_from(["GET", "DELETE", "PUT", "post", "OPTIONS", ""]),
    ),
)  # fmt: skip


def _request(works: Works, body: bytes, changes: list[Callable[[Request], Request]]) -> Request:
    accept = ("accept", "application/json, text/event-stream")
    headers: Headers = (JSON, accept, ("authorization", f"Bearer {token(works.clock)}"))
    if b"2026-07-28" in body:
        headers = (*headers, ("mcp-protocol-version", "2026-07-28"))
    request = Request("POST", "/mcp", headers, body, Peer("192.0.2.1", 4711))
    for change in changes:
        request = change(request)
    return request


@EXAMPLES
@given(body=_BODIES, changes=st.lists(_CHANGES, max_size=3))
async def test_any_request_is_admitted_by_a_rule_and_recorded_or_answered(
    works: Works, body: bytes, changes: list[Callable[[Request], Request]]
) -> None:
    ledger = Noting(works.ledger)
    gate = works.with_(ledger=ledger).gate
    request = _request(works, body, changes)
    works.screen.gone.set()  # nobody waits here for an approver: a call that is held is given up at once
    found = await gate.admit(request, works.screen)
    event(type(found).__name__ if isinstance(found, Admission) else f"answer {found.status}")
    if isinstance(found, Admission):
        _check_admission(works, ledger, request, found)
    else:
        _check_answer(request, found)
        assert ledger.durable or found.status == 200, "a refusal is written down"
    works.with_(ledger=works.ledger, open_calls=type(works.stations.open_calls)())


def _check_admission(works: Works, ledger: Noting, request: Request, admission: Admission) -> None:
    outgoing = admission.outgoing
    assert (outgoing.method, outgoing.path) == (request.method, request.path)
    assert all(_TOKEN_CHARS.fullmatch(name) and _VALUE.fullmatch(value) for name, value in outgoing.headers)
    assert not {"authorization", "cookie", "x-forwarded-for", "transfer-encoding"} & {n for n, _ in outgoing.headers}
    if request.method != "POST":
        assert outgoing.body == b""
        return
    assert dict(outgoing.headers)["content-length"] == str(len(outgoing.body))
    asked = parse_body(request.body, Direction.TO_SERVER).messages
    sent = parse_body(outgoing.body, Direction.TO_SERVER).messages
    # Of a batch, what was refused is answered by the gateway; the others travel in their order.
    left = iter(asked)
    for after, admitted in zip(sent, admission.admitted, strict=True):
        before = next(one for one in left if one.to_json().keys() == after.to_json().keys() and one.id == after.id)
        assert isinstance(before, Call), "no reply was asked for"
        assert isinstance(after, Call)
        assert (after.method, after.name) == (before.method, before.name)
        decision = judge_access(works.force.rules.access, before, admission.caller, "crm")
        assert isinstance(decision, Allow)
        assert ledger.durable[admitted.index].body["call"] == admitted.call_id
    assert {one.id for one in admission.turned} <= {one.id for one in asked} - {one.id for one in sent}


def _check_answer(request: Request, answer: Answer) -> None:
    assert answer.status in _STATUSES, answer
    assert all(_TOKEN_CHARS.fullmatch(name) and _VALUE.fullmatch(value) for name, value in answer.headers)
    assert CARD.encode() not in answer.body
    if answer.status == 202 or request.method == "GET":
        return
    replies = json.loads(answer.body)
    for reply in replies if isinstance(replies, list) else [replies]:
        (one,) = parse_body(json.dumps(reply).encode(), Direction.TO_CLIENT).messages
        assert isinstance(one, Reply)
        assert one.is_error
        assert one.id is None or one.id in _ids(request.body)


def _ids(body: bytes) -> list[Any]:
    value = json.loads(body)
    return [one["id"] for one in (value if isinstance(value, list) else [value]) if "id" in one]
