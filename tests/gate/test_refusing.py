"""`operator: refuse`: a message in which the entity is found does not travel, in the direction that the rule names."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.gate.works import CARD, Works, result, said, token, tool, write_rules
from tests.live.harness.warm import masker_of
from tests.llm.bodies import ANTHROPIC, message, message_stream
from tests.llm.talk import admitted, opened

from holdfast import jsontext
from holdfast.call import Direction
from holdfast.exchange import Answer, Peer, Request
from holdfast.jsontext import JsonObject
from holdfast.masking.masker import Masker
from holdfast.passage import Admission
from holdfast.policy.example import make_call, make_caller
from holdfast.policy.explain import explain
from holdfast.policy.explain_text import lines_of
from holdfast.policy.ruleset import Ruleset, load_ruleset
from holdfast.policy.scope import Facts
from holdfast.streams import EventStream

SSN = "234-45-6789"
ACCESS = """\
version: 1
rules:
  - {id: all, description: Everything., effect: allow, method: "*"}
  - {id: ask, description: Servers may ask., effect: allow, from: server, method: elicitation/create}
"""
MASKING = """\
version: 1
entities:
  - {entity: CREDIT_CARD, operator: refuse, forward: to_client}
  - {entity: US_SSN, operator: refuse, forward: to_server}
  - {entity: API_KEY, operator: refuse}
  - {entity: PASSWORD, operator: replace}
patterns:
  - {id: key, entity: API_KEY, regex: 'sk-[0-9]{8}', score: 0.5}
  - {id: word, entity: PASSWORD, regex: 'sk-[0-9]{8}x?', score: 0.9}
keys:
  - {id: card-key, entity: CREDIT_CARD, names: [card]}
paths:
  - {id: free, action: forward, tool: get_form, path: /params/arguments/**}
"""


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    return load_ruleset(write_rules(tmp_path_factory.mktemp("refusing"), masking=MASKING, access=ACCESS))


@pytest.fixture(scope="module")
def masker(refusing: Ruleset) -> Masker:
    return masker_of(refusing.masking)


@pytest.fixture
async def works(tmp_path: Path, refusing: Ruleset, masker: Masker) -> AsyncIterator[Works]:
    made = Works(tmp_path, refusing, masker)
    await made.desk.start()
    yield made
    await made.desk.stop()
    made.ledger.close()


async def test_a_call_with_a_refused_value_does_not_travel_and_its_answer_names_rule_and_place(works: Works) -> None:
    answer = await works.admit(tool("get_customer", 1, note=f"SSN {SSN}"))
    assert isinstance(answer, Answer)
    assert answer.status == 200
    replied = json.loads(answer.body)["result"]
    assert replied["isError"] is True
    text = replied["content"][0]["text"]
    assert "US_SSN was found at /params/arguments/note and must not travel" in text
    assert "Rule: us-ssn." in text
    record = works.records()[-1]
    assert (record["typ"], record["cause"], record["rule"]) == ("refused", "denied_by_rule", "us-ssn")
    assert record["mcp"]["name"] == "get_customer"  # type: ignore[index, call-overload] # any JSON
    assert SSN.encode() not in works.everything_written() + answer.body + b"".join(works.screen.calls)


async def test_what_is_refused_in_one_direction_travels_in_the_other(works: Works) -> None:
    sent = await works.admitted(tool("get_customer", 1, note=CARD))
    assert CARD.encode() in sent.outgoing.body
    answer = await works.release(sent, result(f"SSN {SSN}"))
    assert SSN.encode() in answer.body
    assert SSN.encode() not in works.everything_written()
    assert CARD.encode() not in works.everything_written()


async def test_a_reply_with_a_refused_value_is_answered_with_the_rule(works: Works) -> None:
    sent = await works.admitted(tool("get_customer", 1))
    answer = await works.release(sent, result(f"the card is {CARD}"))
    assert answer.status == 200
    assert "Rule: credit-card." in json.loads(answer.body)["result"]["content"][0]["text"]
    assert CARD.encode() not in answer.body + works.everything_written() + b"".join(works.screen.replies)
    record = works.records()[-1]
    assert (record["typ"], record["cause"], record["rule"]) == ("call.lost", "denied_by_rule", "credit-card")


@pytest.mark.parametrize("card", [4111111111111111, 5, "x"])
async def test_a_value_under_a_key_is_refused_too(works: Works, card: int | str) -> None:
    sent = await works.admitted(tool("get_customer", 1))
    content: JsonObject = {"content": [], "structuredContent": {"deep": json.dumps({"card": card})}}
    answer = await works.release(sent, {"jsonrpc": "2.0", "id": 1, "result": content})
    assert "card-key" in answer.body.decode()


async def test_a_refused_value_is_refused_although_another_finding_speaks_for_the_place(works: Works) -> None:
    assert "Rule: key." in said(await works.admit(tool("get_customer", 1, note="it is sk-12345678x")))


async def test_where_a_path_forwards_values_as_they_are_nothing_is_refused(works: Works) -> None:
    sent = await works.admitted(tool("get_form", 1, note=SSN))
    assert SSN.encode() in sent.outgoing.body
    assert SSN.encode() not in works.everything_written()


async def test_of_a_batch_only_the_element_with_the_value_is_refused(works: Works) -> None:
    batch = jsontext.wire([tool("get_customer", 1, note=SSN), tool("get_customer", 2, note="fine")])
    sent = await works.admit(batch, ("mcp-protocol-version", "2025-03-26"))
    assert isinstance(sent, Admission)
    assert [one["id"] for one in json.loads(sent.outgoing.body)] == [2]
    assert "us-ssn" in str(sent.turned[0].to_json())


async def test_an_event_of_a_stream_with_the_value_is_replaced_by_the_reason(works: Works) -> None:
    stream = EventStream(works.gate, await works.admitted(tool("get_customer", 1)), works.screen)
    out = await stream.release([b"data: " + jsontext.wire(result(CARD)) + b"\n\n"])
    assert out is not None
    assert b"credit-card" in out
    assert CARD.encode() not in out


async def test_a_question_of_the_server_with_the_value_is_not_asked(works: Works) -> None:
    headers = (("accept", "text/event-stream"), ("authorization", f"Bearer {token(works.clock)}"))
    admission = await works.gate.admit(Request("GET", "/mcp", headers, b"", Peer("192.0.2.1", 1)), works.screen)
    assert isinstance(admission, Admission)
    stream = EventStream(works.gate, admission, works.screen)
    params: JsonObject = {"message": f"Is {CARD} yours?"}
    asked: JsonObject = {"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": params}
    assert await stream.release([b"data: " + jsontext.wire(asked) + b"\n\n"]) == b""
    assert (works.records()[-1]["typ"], works.records()[-1]["rule"]) == ("refused", "credit-card")


async def test_a_request_to_a_model_and_what_it_says_are_refused_alike(works: Works) -> None:
    works.with_servers(ANTHROPIC)
    asked = works.post(message(f"my SSN is {SSN}"), path="/v1/messages")
    refused = await works.gate.admit(asked, works.screen)
    assert "us-ssn" in said(refused)
    assert SSN not in said(refused)


async def test_a_streamed_text_of_a_model_ends_before_the_value(works: Works) -> None:
    works.with_servers(ANTHROPIC)
    stream = await opened(works, await admitted(works, "/v1/messages", message("x", stream=True)))
    out = await stream.release(message_stream(["It is a ", "long story: ", f"the card is {CARD}."]))
    assert out is None
    await stream.close(None)
    record = works.records()[-1]
    assert (record["typ"], record.get("rule")) == ("call.lost", "credit-card")
    assert CARD.encode() not in works.everything_written()


async def test_explain_says_that_masking_refuses(refusing: Ruleset, masker: Masker) -> None:
    call = make_call("tools/call", "get_customer", {"note": SSN}, {}, Direction.TO_SERVER)
    caller = make_caller(("mcp-users",), "ann", "https://idp.example.com", None)
    explained = await explain(refusing, Facts(call, caller, "crm"), lambda facts: masker.mask(facts.call, server="crm"))
    assert explained["approval"] is None
    assert any("rule us-ssn refuses it" in line for line in lines_of(explained))
