"""Calls: recorded before they travel, masked by rule, refused in the words of their era."""

import asyncio
import dataclasses

import pytest
from tests.gate.works import (
    CARD,
    CRM,
    MAIL,
    BrokenMasker,
    CountedMasker,
    FullDisk,
    LeakyMasker,
    Works,
    said,
    token,
    tool,
)

from holdfast import jsontext
from holdfast.errors import Cause, Refused
from holdfast.exchange import Answer, Peer, Request
from holdfast.passage import Admission

_MODERN_META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}


async def test_a_call_travels_after_its_record_is_durable(works: Works) -> None:
    admission = await works.admitted(tool("get_customer", customer_id="C-1"))
    assert works.types() == ["call"]
    assert admission.admitted[0].index == works.records()[0]["n"]
    assert jsontext.parse(admission.outgoing.body) == tool("get_customer", customer_id="C-1")


async def test_a_call_that_cannot_be_recorded_does_not_travel_on(works: Works) -> None:
    answer = await works.with_(ledger=FullDisk()).admit(tool("get_customer"))
    assert isinstance(answer, Answer)
    assert answer.status == 503
    assert works.types() == []


async def test_what_the_masker_failed_at_is_not_given_to_it_again(works: Works) -> None:
    masker = CountedMasker()
    assert isinstance(await works.with_masker(masker).admit(tool("get_customer")), Answer)
    assert masker.asked_count == 1


@pytest.mark.parametrize("broken", [BrokenMasker(), LeakyMasker()])
async def test_no_engine_no_passage(works: Works, broken: object, caplog: pytest.LogCaptureFixture) -> None:
    answer = await works.with_masker(broken).admit(tool("get_customer", note=f"card {CARD}"))
    assert isinstance(answer, Answer)
    assert answer.status == 503
    assert CARD not in said(answer) + caplog.text
    assert works.types() == ["refused"]


async def test_a_message_that_cannot_be_masked_leaves_a_finding_that_says_so(works: Works) -> None:
    answer = await works.with_masker(BrokenMasker()).admit(tool("get_customer"))
    assert isinstance(answer, Answer)
    (record,) = works.records()
    assert record["rule"] == "on-failure"
    assert str(record["reason"]).startswith("the message cannot be masked: ")
    assert str(record["reason"]) in said(answer)
    mask = record["mask"]
    assert isinstance(mask, dict)
    assert mask["counts"] == {"UNSCANNED": 1}


async def test_the_credential_and_unknown_headers_stay_here(works: Works) -> None:
    admission = await works.admitted(tool("get_customer"), ("x-internal", "1"), ("cookie", "c=d"))
    names = [name for name, _ in admission.outgoing.headers]
    assert names == ["host", "accept", "content-type", "accept-encoding", "user-agent", "content-length"]


async def test_the_gateways_own_credential_goes_to_the_server(works: Works) -> None:
    crm = dataclasses.replace(CRM, credential=("authorization", "Bearer upstream"))
    admission = await works.with_servers(crm).admitted(tool("get_customer"))
    assert ("authorization", "Bearer upstream") in admission.outgoing.headers
    assert b"upstream" not in b"".join(jsontext.wire(record) for record in works.records())


async def test_what_is_kept_is_masked_whatever_is_forwarded(works: Works) -> None:
    await works.admitted(tool("search_customers", query=f"{MAIL} or {CARD}"))
    assert MAIL.encode() not in works.everything_written()
    assert CARD.encode() not in works.everything_written()
    assert MAIL not in works.screen.calls[0].decode()
    (record,) = works.records()
    mask = record["mask"]
    assert isinstance(mask, dict)
    assert mask["counts"] == {"CREDIT_CARD": 1, "EMAIL_ADDRESS": 1}


async def test_a_request_without_a_token_is_told_where_to_get_one(works: Works) -> None:
    request = Request("POST", "/mcp", (("content-type", "application/json"),), b"{}", Peer("192.0.2.1", 1))
    answer = await works.gate.admit(request, works.screen)
    assert isinstance(answer, Answer)
    assert answer.status == 401
    challenge = dict(answer.headers)["www-authenticate"]
    assert 'resource_metadata="http://gw.example.com/.well-known/oauth-protected-resource/mcp"' in challenge
    assert works.types() == ["refused"]


async def test_the_metadata_needs_no_token(works: Works) -> None:
    request = Request("GET", "/.well-known/oauth-protected-resource/mcp", (), b"", Peer("192.0.2.1", 1))
    answer = await works.gate.admit(request, works.screen)
    assert jsontext.parse(said(answer).encode())["resource"] == "http://gw.example.com/mcp"  # type: ignore[call-overload, index] # an object


async def test_a_denied_tool_is_answered_so_that_a_model_can_read_it(works: Works) -> None:
    answer = await works.admit(tool("purge_logs", 7))
    assert isinstance(answer, Answer)
    assert answer.status == 200
    reply = jsontext.parse(answer.body)
    assert isinstance(reply, dict)
    assert reply["id"] == 7
    assert isinstance(reply["result"], dict)
    assert reply["result"]["isError"] is True
    assert "resultType" not in reply["result"]
    assert "dangerous-tools" in said(answer)


async def test_a_denied_tool_of_the_modern_era_has_a_result_type(works: Works) -> None:
    message = tool("purge_logs") | {"params": {"name": "purge_logs", "arguments": {}, "_meta": _MODERN_META}}
    answer = await works.admit(message, ("mcp-protocol-version", "2026-07-28"))
    assert '"resultType":"complete"' in said(answer)


async def test_a_denied_method_is_an_error_outside_the_reserved_range(works: Works) -> None:
    answer = await works.admit({"jsonrpc": "2.0", "id": 1, "method": "resources/read", "params": {"uri": "file:///a"}})
    reply = jsontext.parse(said(answer).encode())
    assert isinstance(reply, dict)
    assert isinstance(reply["error"], dict)
    code = reply["error"]["code"]
    assert isinstance(code, int)
    assert not -32768 <= code <= -32000


async def test_a_refused_notification_gets_no_error_status(works: Works) -> None:
    answer = await works.admit({"jsonrpc": "2.0", "method": "custom/notify"})
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body) == (202, b"")
    assert works.types() == ["refused"]


async def test_of_refused_bytes_only_size_and_keyed_digest_stay(works: Works) -> None:
    await works.admit(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"a":1,"a":"4111111111111111"}}')
    (record,) = works.records()
    assert record["cause"] == "malformed"
    assert b"4111111111111111" not in works.everything_written()


async def test_a_batch_is_for_one_version_only(works: Works) -> None:
    batch = [tool("get_customer", 1), tool("get_customer", 2)]
    assert '"malformed"' in said(await works.admit(batch, ("mcp-protocol-version", "2025-11-25")))
    admission = await works.admitted(batch, ("mcp-protocol-version", "2025-03-26"))
    assert len(admission.admitted) == 2


@pytest.mark.parametrize("version", ["2027-01-01", "x", ""])
async def test_a_version_that_cannot_be_judged_is_refused(works: Works, version: str) -> None:
    answer = await works.admit(tool("get_customer"), ("mcp-protocol-version", version or "none"))
    assert '"unsupported"' in said(answer)


async def test_a_session_of_somebody_else_is_refused(works: Works) -> None:
    opening = await works.admitted(
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
    )
    ok = {"jsonrpc": "2.0", "id": 0, "result": {"protocolVersion": "2025-11-25"}}
    await works.release(opening, ok, ("mcp-session-id", "s-1"))
    assert works.types() == ["call", "reply", "session.opened"]
    await works.admitted(tool("get_customer"), ("mcp-session-id", "s-1"))
    stranger = await works.admit(tool("get_customer"), ("mcp-session-id", "s-1"), who=token(works.clock, "eve"))
    assert isinstance(stranger, Answer)
    assert stranger.status == 403
    unknown = await works.admit(tool("get_customer"), ("mcp-session-id", "s-2"))
    assert isinstance(unknown, Answer)
    assert unknown.status == 404


async def test_a_reply_to_nothing_is_refused(works: Works) -> None:
    answer = await works.admit({"jsonrpc": "2.0", "id": 5, "result": {}})
    assert '"malformed"' in said(answer)


async def test_a_held_call_does_not_travel_before_a_person_decided(works: Works) -> None:
    waiting = asyncio.ensure_future(works.admit(tool("delete_customer", customer_id="C-1")))
    await works.until("hold.opened")
    assert not waiting.done()
    assert "call" not in works.types()
    works.screen.gone.set()
    answer = await waiting
    assert isinstance(answer, Answer)
    assert works.types() == ["hold.opened", "hold.closed", "refused"]


async def test_a_held_call_blocks_nobody_else(works: Works) -> None:
    waiting = asyncio.ensure_future(works.admit(tool("delete_customer", customer_id="C-1")))
    await works.until("hold.opened")
    assert isinstance(await works.admit(tool("get_customer", 2)), Admission)
    works.screen.gone.set()
    await waiting


async def test_only_endpoints_can_be_reached(works: Works) -> None:
    who = token(works.clock)
    post = works.post(tool("get_customer"), who=who, path="/admin/delete-all")
    get = Request("GET", "/admin/x", (("accept", "*/*"), ("authorization", f"Bearer {who}")), b"", Peer("192.0.2.1", 1))
    for request in (post, get):
        answer = await works.gate.admit(request, works.screen)
        assert isinstance(answer, Answer)
        assert answer.status == 404
    assert b"delete-all" not in works.everything_written()


async def test_a_session_is_checked_in_every_era(works: Works) -> None:
    opening = await works.admitted(
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
    )
    await works.release(opening, {"jsonrpc": "2.0", "id": 0, "result": {}}, ("mcp-session-id", "theirs"))
    eve = token(works.clock, "eve")
    modern = tool("get_customer") | {"params": {"name": "get_customer", "arguments": {}, "_meta": _MODERN_META}}
    again = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2026-07-28"}}
    for message, version in ((modern, ("mcp-protocol-version", "2026-07-28")), (again, ("x-none", "1"))):
        answer = await works.admit(message, version, ("mcp-session-id", "theirs"), who=eve)
        assert isinstance(answer, Answer), message
        assert answer.status == 403


async def test_an_id_that_is_open_is_not_asked_again(works: Works) -> None:
    opening = await works.admitted(
        {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}
    )
    await works.release(opening, {"jsonrpc": "2.0", "id": 0, "result": {}}, ("mcp-session-id", "s"))
    await works.admitted(tool("get_customer", 7), ("mcp-session-id", "s"))
    ping = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
    assert '"malformed"' in said(await works.admit(ping, ("mcp-session-id", "s")))


async def test_a_held_call_does_not_go_out_on_an_expired_credential(works: Works) -> None:
    waiting = asyncio.ensure_future(works.admit(tool("delete_customer", customer_id="C-1")))
    await works.until("hold.opened")
    works.clock.advance(700)
    works.screen.gone.set()
    assert isinstance(await waiting, Answer)
    assert "call" not in works.types()


async def test_a_refusal_shows_viewers_no_id(works: Works) -> None:
    answer = await works.admit(tool("purge_logs", "4111 1111 1111 1111"))
    assert "4111 1111 1111 1111" in said(answer)
    assert b"4111 1111 1111 1111" not in b"".join([*works.screen.calls, *works.screen.replies])


async def test_a_request_that_is_no_http_leaves_a_record_too(works: Works) -> None:
    refused = Refused(Cause.MALFORMED, "the request is no acceptable HTTP")
    await works.gate.write_unread(Peer("192.0.2.9", 7), refused, 12)
    (record,) = works.records()
    assert (record["typ"], record["cause"], record["bytes"]) == ("refused", "malformed", 12)
    await works.with_(ledger=FullDisk()).gate.write_unread(Peer("192.0.2.9", 7), refused, 12)


async def test_a_header_that_is_refused_leaves_no_record_of_a_call_that_went_out(works: Works) -> None:
    answer = await works.admit(tool("get_customer"), ("last-event-id", "two words"))
    assert '"malformed"' in said(answer)
    assert works.types() == ["refused"]
