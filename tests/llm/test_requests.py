"""Requests to LLM APIs are identified, judged, masked, held and recorded like Calls to MCP servers."""

import asyncio
import dataclasses
import json
from typing import Any

import pytest
from tests.gate.works import CRM, FullDisk, Works, token
from tests.llm.bodies import CARD, MAIL, PROSE, SSN, STARS, chat, message, response
from tests.llm.talk import admitted, ask, sent, told

from holdfast.approval.statement import Choice, parse_statement
from holdfast.exchange import Answer
from holdfast.jsontext import canonical

PATHS = {"/v1/chat/completions": chat, "/v1/responses": response, "/v1/messages": message}


@pytest.mark.parametrize("path", PATHS)
async def test_a_prompt_goes_out_masked_and_is_recorded_first(works: Works, path: str) -> None:
    admission = await admitted(works, path, PATHS[path](f"my card is {CARD}"))
    body = admission.outgoing.body.decode()
    assert CARD not in body
    assert STARS in body
    assert sent(admission)["model"] == PATHS[path]("x")["model"]
    (record,) = works.records()
    assert (record["typ"], record["mcp"]["name"]) == ("call", sent(admission)["model"])  # type: ignore[index, call-overload] # as written
    assert record["rpc"]["method"].startswith("llm/")  # type: ignore[index, call-overload, union-attr] # as above
    assert record["mask"]["counts"] == {"CREDIT_CARD": 1}  # type: ignore[index, call-overload] # as above
    assert CARD.encode() not in works.everything_written()


PLACES: list[tuple[str, dict[str, Any]]] = [
    ("/v1/chat/completions", {"messages": [{"role": "system", "content": CARD}]}),
    ("/v1/chat/completions", {"messages": [{"role": "user", "content": [{"type": "text", "text": CARD}]}]}),
    ("/v1/chat/completions", {"messages": [{"role": "tool", "tool_call_id": "call_1", "content": CARD}]}),
    (
        "/v1/chat/completions",
        {
            "messages": [
                {
                    "role": "assistant",
                    "tool_calls": [
                        {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"n": CARD})}}
                    ],
                }
            ]
        },
    ),
    (
        "/v1/chat/completions",
        {"tools": [{"type": "function", "function": {"name": "f", "description": CARD, "parameters": {}}}]},
    ),
    ("/v1/chat/completions", {"metadata": {"note": CARD}, "user": CARD}),
    ("/v1/responses", {"instructions": CARD}),
    ("/v1/responses", {"input": [{"role": "user", "content": [{"type": "input_text", "text": CARD}]}]}),
    ("/v1/responses", {"input": [{"type": "function_call_output", "call_id": "c", "output": CARD}]}),
    ("/v1/messages", {"system": [{"type": "text", "text": CARD}]}),
    ("/v1/messages", {"messages": [{"role": "user", "content": [{"type": "tool_result", "content": CARD}]}]}),
    (
        "/v1/messages",
        {
            "messages": [
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": [CARD]}}]}
            ]
        },
    ),
    (
        "/v1/messages",
        {"tools": [{"name": "f", "input_schema": {"properties": {"x": {"description": CARD}}}, "description": CARD}]},
    ),
    ("/v1/messages/count_tokens", {"system": CARD}),
    ("/v1/messages", {"a_member_of_next_year": {"deep": [CARD]}}),
]


@pytest.mark.parametrize(("path", "more"), PLACES)
async def test_every_part_of_a_prompt_is_masked(works: Works, path: str, more: dict[str, Any]) -> None:
    model = "claude-sonnet" if "messages" in path else "gpt-5"
    admission = await admitted(works, path, {"model": model, **more})
    assert CARD not in admission.outgoing.body.decode()
    assert STARS in admission.outgoing.body.decode()


async def test_what_the_api_reads_travels_as_it_is(works: Works) -> None:
    body = {
        "model": "gpt-5",
        "messages": [
            {"role": "assistant", "tool_calls": [{"id": f"call {SSN}", "type": "function", "function": {"name": "f"}}]},
            {"role": "tool", "tool_call_id": f"call {SSN}", "content": "done"},
        ],
        "seed": 4111111111111111,
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"required": ["password"]}}}],
        "stream": False,
    }
    admission = await admitted(works, "/v1/chat/completions", body)
    assert sent(admission) == body
    assert SSN.encode() not in works.everything_written()


async def test_an_image_travels_and_text_in_a_data_url_is_masked(works: Works) -> None:
    image = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    text = "data:text/plain;base64,bXkgY2FyZCBpcyA0MTExIDExMTEgMTExMSAxMTEx"
    parts = [{"type": "image_url", "image_url": {"url": image}}, {"type": "image_url", "image_url": {"url": text}}]
    body = chat("x", messages=[{"role": "user", "content": parts}])
    first, second = sent(await admitted(works, "/v1/chat/completions", body))["messages"][0]["content"]
    assert first["image_url"]["url"] == image
    assert second["image_url"]["url"].startswith("data:text/plain;base64,")
    assert second["image_url"]["url"] != text


async def test_the_gateways_own_credential_goes_up_and_the_callers_does_not(works: Works) -> None:
    who = token(works.clock)
    for path in ("/v1/responses", "/v1/messages"):
        made = PATHS[path]("hello")
        extra = (("anthropic-version", "2023-06-01"), ("x-stainless-os", "Linux"), ("cookie", "a=b"))
        admission = await ask(works, path, made, *extra, who=who)
        names = dict(admission.outgoing.headers)
        assert who not in str(names)
        assert "the-gateway's-own" in str(names)
        assert names["anthropic-version"] == "2023-06-01"
        assert not names.keys() & {"x-stainless-os", "cookie"}


async def test_a_key_of_an_sdk_is_judged_as_a_bearer_token(works: Works) -> None:
    request = works.post(message("hello"), path="/v1/messages")
    (credential,) = [value for name, value in request.headers if name == "authorization"]
    bare = tuple((name, value) for name, value in request.headers if name != "authorization")
    key = ("x-api-key", credential.removeprefix("Bearer "))
    admission = await works.gate.admit(dataclasses.replace(request, headers=(*bare, key)), works.screen)
    assert not isinstance(admission, Answer)
    assert admission.caller.sub == "ann"
    assert key[1] not in str(admission.outgoing.headers)
    both = await works.gate.admit(dataclasses.replace(request, headers=(*request.headers, key)), works.screen)
    assert isinstance(both, Answer)
    assert both.status == 401


async def test_nobody_unknown_passes_and_is_told_so_in_the_apis_form(works: Works) -> None:
    answer = await ask(works, "/v1/messages", message("hello"), who="no.such.token")
    assert answer.status == 401
    assert told(answer)["type"] == "error"
    assert told(answer)["error"]["type"] == "authentication_error"
    assert "www-authenticate" in dict(answer.headers)
    answer = await ask(works, "/v1/responses", response("hello"), who="no.such.token")
    assert (answer.status, told(answer)["error"]["code"]) == (401, "unauthenticated")


async def test_a_model_that_no_rule_allows_is_refused_with_403(works: Works) -> None:
    answer = await ask(works, "/v1/chat/completions", chat(f"my card is {CARD}", model="other-1"))
    assert answer.status == 403
    assert told(answer)["error"]["type"] == "permission_error"
    assert ("x-should-retry", "false") in answer.headers
    (record,) = works.records()
    assert (record["typ"], record["cause"], record["mcp"]["name"]) == ("refused", "denied_by_rule", "other-1")  # type: ignore[index, call-overload] # as written
    assert CARD.encode() not in works.everything_written()


async def test_a_rule_about_params_sees_the_whole_request(works: Works) -> None:
    tool = {"type": "mcp", "server_label": "x", "server_url": "https://mcp.example.com"}
    answer = await ask(works, "/v1/responses", response("hello", tools=[tool]))
    assert (answer.status, told(answer)["error"]["holdfast"]["rule"]) == (403, "no-remote-tools")


@pytest.mark.parametrize(
    "body",
    [
        b'{"model": "gpt-5", "model": "other-1", "messages": []}',
        b"[]",
        b"{",
        b'{"model": 1}',
        b'{"model": "gpt-5", "stream": "yes"}',
        b'{"model": "gpt-5", "Name": "gpt-5"}',
        b'{"model": "gpt-5", "logprobs": true}',
        b'{"model": "gpt-5", "include": ["message.output_text.logprobs"]}',
        b"\xff",
    ],
)
async def test_a_request_that_could_be_read_in_two_ways_is_refused(works: Works, body: bytes) -> None:
    answer = await ask(works, "/v1/chat/completions", body)
    assert isinstance(answer, Answer)
    assert answer.status in (400, 403)
    assert works.types() == ["refused"]


async def test_another_path_and_another_method_are_refused(works: Works) -> None:
    assert (await ask(works, "/v1/models", chat("x"))).status == 404
    get = dataclasses.replace(works.post(b"", path="/v1/messages"), method="GET")
    get = dataclasses.replace(get, headers=(*get.headers, ("accept", "text/event-stream")))
    answer = await works.gate.admit(get, works.screen)
    assert isinstance(answer, Answer)
    assert (answer.status, told(answer)["error"]["type"]) == (415, "invalid_request_error")


@pytest.mark.parametrize("header", [("anthropic-version", "now"), ("openai-organization", f"org {MAIL}")])
async def test_a_header_that_holds_something_else_is_refused(works: Works, header: tuple[str, str]) -> None:
    assert (await ask(works, "/v1/messages", message("x"), header)).status == 400


async def test_a_call_that_cannot_be_recorded_does_not_travel_on(works: Works) -> None:
    works.with_(ledger=FullDisk())
    answer = await ask(works, "/v1/chat/completions", chat("hello"))
    assert (answer.status, told(answer)["error"]["code"]) == (503, "unavailable")
    assert "x-should-retry" not in dict(answer.headers)


async def decided(works: Works, choice: Choice, reason: str = "") -> str:
    """Decide on the one Hold that waits; what the approver saw."""
    async with asyncio.timeout(60):
        while not works.desk.decisions.listing():  # noqa: ASYNC110 -- it is seen by looking, as an approver does
            await asyncio.sleep(0.01)
    (hold,) = works.desk.decisions.listing()
    shown = works.desk.decisions.show(str(hold["id"]), None)
    digest_hex = parse_statement(canonical(shown["statement"])).view_digest_hex
    who = token(works.clock, sub="eve", groups=("mcp-approvers",))
    await works.desk.decisions.decide_by_token(
        str(hold["id"]), who, choice, reason, view_digest_hex=digest_hex, source="test"
    )
    return str(shown["view"])


async def test_a_held_prompt_goes_out_once_it_is_approved(works: Works) -> None:
    asking = asyncio.ensure_future(ask(works, "/v1/chat/completions", chat(f"about Bluebird: {PROSE} {CARD}")))
    await works.until("hold.opened")
    assert not asking.done()
    view = await decided(works, "approve")
    assert CARD not in view
    assert "name       | gpt-5" in view
    admission = await asking
    assert not isinstance(admission, Answer)
    assert works.types() == ["hold.opened", "approval", "hold.closed", "call"]


async def test_a_held_prompt_that_is_denied_is_a_403(works: Works) -> None:
    asking = asyncio.ensure_future(ask(works, "/v1/messages", message("about bluebird")))
    await works.until("hold.opened")
    await decided(works, "deny", "not today")
    answer = await asking
    assert (answer.status, told(answer)["error"]["type"]) == (403, "permission_error")
    assert told(answer)["error"]["holdfast"]["ticket"].startswith("H-")
    assert "not today" in told(answer)["error"]["message"]


async def test_a_client_that_wants_a_stream_hears_signs_of_life_while_its_prompt_is_held(works: Works) -> None:
    asking = asyncio.ensure_future(ask(works, "/v1/messages", message("about bluebird", stream=True)))
    await works.until("hold.opened")
    (signs,) = works.screen.signs
    assert signs.sign() == b": keep-alive\n\n"
    works.screen.gone.set()
    answer = await asking
    assert (answer.status, answer.event) == (403, "error")


async def test_the_beta_of_an_api_is_asked_with_its_query_and_nothing_else_is(works: Works) -> None:
    request = works.post(message("hello"), path="/v1/messages?beta=true")
    admission = await works.gate.admit(request, works.screen)
    assert not isinstance(admission, Answer)
    assert admission.outgoing.path == "/v1/messages?beta=true"
    for query in ("beta=false", "beta=true&beta=true", "beta=true&x=1", "b%65ta=true", "sessionId=a"):
        answer = await works.gate.admit(works.post(message("x"), path=f"/v1/messages?{query}"), works.screen)
        assert isinstance(answer, Answer), query
        assert answer.status in (400, 415)


async def test_an_mcp_server_is_asked_nothing_with_the_query_of_a_beta(works: Works) -> None:
    works.with_servers(CRM)
    ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    answer = await works.gate.admit(works.post(ping, path="/mcp?beta=true"), works.screen)
    assert isinstance(answer, Answer)
    assert works.types() == ["refused"]
