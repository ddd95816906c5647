"""Replies of LLM APIs come back masked and recorded, errors in their own form; nothing that cannot be vouched for."""

from typing import Any

import pytest
from tests.gate.works import JSON, FullAfter, Works
from tests.llm.bodies import (
    CARD,
    MAIL,
    STARS,
    chat,
    chat_reply,
    message,
    message_reply,
    response,
    response_reply,
)
from tests.llm.talk import admitted, told

from holdfast.exchange import Head

REPLIES: dict[str, tuple[Any, Any]] = {
    "/v1/chat/completions": (chat, chat_reply),
    "/v1/responses": (response, response_reply),
    "/v1/messages": (message, message_reply),
}


@pytest.mark.parametrize("path", REPLIES)
async def test_a_reply_comes_back_masked_and_is_recorded_first(works: Works, path: str) -> None:
    ask, reply = REPLIES[path]
    admission = await admitted(works, path, ask("hello"))
    answer = await works.release(admission, reply(f"the card is {CARD}"), ("request-id", "req_1"))
    assert answer.status == 200
    assert told(answer) == reply(f"the card is {STARS}")
    assert ("request-id", "req_1") in answer.headers
    call, record = works.records()
    assert (record["typ"], record["ref"], record["out"]["ok"]) == ("reply", [call["n"]], True)  # type: ignore[index, call-overload] # as written
    assert CARD.encode() not in works.everything_written()


async def test_the_arguments_of_a_tool_call_are_masked_by_their_keys(works: Works) -> None:
    reply = chat_reply("")
    function = {"name": "login", "arguments": '{"password": "correct horse", "to": "x"}'}
    reply["choices"][0]["message"]["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    answer = await works.release(await admitted(works, "/v1/chat/completions", chat("hello")), reply)
    (call,) = told(answer)["choices"][0]["message"]["tool_calls"]
    assert call["function"]["arguments"] == '{"password": "<PASSWORD>", "to": "x"}'
    assert (call["id"], call["function"]["name"]) == ("call_1", "login")


async def test_log_probabilities_do_not_come_back(works: Works) -> None:
    reply = chat_reply("4111 1111 1111 1111")
    tokens = [{"token": part, "logprob": -0.1, "bytes": list(part.encode())} for part in ("4111", " 1111")]
    reply["choices"][0]["logprobs"] = {"content": tokens}
    answer = await works.release(await admitted(works, "/v1/chat/completions", chat("hello")), reply)
    assert told(answer)["choices"][0]["logprobs"] is None
    assert b'"token"' not in answer.body


@pytest.mark.parametrize("status", [400, 404, 429, 500, 529])
async def test_an_error_of_the_api_passes_in_its_own_form_and_masked(works: Works, status: int) -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": f"no such card {CARD}"}}
    admission = await admitted(works, "/v1/messages", message("hello"))
    answer = await works.release(admission, error, ("retry-after", "3"), status=status)
    assert answer.status == status
    assert told(answer)["error"]["message"] == f"no such card {STARS}"
    assert ("retry-after", "3") in answer.headers
    assert works.records()[-1]["out"]["ok"] is False  # type: ignore[index, call-overload] # as written
    assert CARD.encode() not in works.everything_written()


@pytest.mark.parametrize("status", [401, 403])
async def test_that_the_gateways_key_is_refused_is_not_told_in_the_apis_words(works: Works, status: int) -> None:
    admission = await admitted(works, "/v1/responses", response("hello"))
    answer = await works.release(admission, {"error": {"message": "Incorrect API key: sk-...abcd"}}, status=status)
    assert (answer.status, told(answer)["error"]["code"]) == (502, "server_fault")
    assert b"abcd" not in answer.body
    assert works.types()[-1] == "call.lost"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"", b'{"a": 1, "a": 2}', b"\xff"])
async def test_what_cannot_be_read_does_not_come_back(works: Works, body: bytes) -> None:
    admission = await admitted(works, "/v1/responses", response("hello"))
    answer = await works.gate.release(admission, Head(500, (JSON,)), body, works.screen)
    assert (answer.status, told(answer)["error"]["code"]) == (500, "server_fault")
    assert works.types()[-1] == "call.lost"


async def test_a_page_instead_of_json_does_not_come_back(works: Works) -> None:
    admission = await admitted(works, "/v1/responses", response("hello"))
    head = Head(200, (("content-type", "text/html"),))
    answer = await works.gate.release(admission, head, f"<p>{MAIL}".encode(), works.screen)
    assert answer.status == 502
    assert MAIL.encode() not in answer.body


async def test_a_reply_that_cannot_be_recorded_does_not_come_back(works: Works) -> None:
    works.with_(ledger=FullAfter(works.ledger, 1))
    admission = await admitted(works, "/v1/messages", message("hello"))
    answer = await works.release(admission, message_reply("hello yourself"))
    assert answer.status == 503
    assert b"yourself" not in answer.body


async def test_headers_that_say_nothing_to_a_client_do_not_come_back(works: Works) -> None:
    admission = await admitted(works, "/v1/responses", response("hello"))
    sent = (
        ("x-ratelimit-remaining-tokens", "149984"),
        ("x-ratelimit-note", "a text with blanks"),
        ("set-cookie", "a=b"),
        ("x-request-id", f"req {MAIL}"),
        ("openai-organization", "org-abc"),
    )
    answer = await works.release(admission, response_reply("hi"), *sent)
    assert answer.headers == (JSON, ("x-ratelimit-remaining-tokens", "149984"))
