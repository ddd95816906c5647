"""`restore: caller`: a mask that a Caller was given comes back, and the server gets the value."""

import asyncio
import json
from pathlib import Path

import pytest
from tests.gate.works import CRM, MAIL, Works, result, said, token, tool, write_rules
from tests.live.harness.warm import masker_of

from holdfast import jsontext
from holdfast.exchange import Answer, Upstream
from holdfast.jsontext import JsonObject
from holdfast.masking.masker import Masker
from holdfast.passage import Admission
from holdfast.policy.ruleset import Ruleset, load_ruleset
from holdfast.policy.servers import Server
from holdfast.streams import EventStream

ROOT = Path(__file__).resolve().parents[2]
# Nobody writes to addresses outside; everything else is allowed.
ACCESS = r"""
version: 1
rules:
  - id: outside
    description: Nobody writes to addresses outside.
    effect: deny
    method: tools/call
    name: get_outside
    arguments: [{path: /to, matches: '.*@example\.com'}]
  - {id: all, description: Everything else., effect: allow, method: "*"}
  - {id: ask, description: Servers may ask., effect: allow, from: server, method: elicitation/create}
  - {id: tell, description: Servers may tell., effect: allow, from: server, method: "notifications/*"}
"""


def restoring_rules(folder: Path) -> Ruleset:
    shipped = (ROOT / "rules" / "masking.yaml").read_text()
    before = "  - entity: EMAIL_ADDRESS\n    operator: pseudonym\n"
    assert before in shipped
    masking = shipped.replace(before, before + "    restore: caller\n")
    return load_ruleset(write_rules(folder, masking=masking, access=ACCESS))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    return restoring_rules(tmp_path_factory.mktemp("restoring"))


@pytest.fixture(scope="module")
def masker(shipped: Ruleset) -> Masker:
    return masker_of(shipped.masking)


async def given(works: Works, text: str = MAIL, call_id: int = 1) -> str:
    """What the Caller reads where the server said ``text``."""
    admission = await works.admitted(tool("get_customer", call_id, id=7))
    answer = await works.release(admission, result(text, call_id))
    return str(json.loads(answer.body)["result"]["content"][0]["text"])


def arguments(admission: Admission | Answer) -> JsonObject:
    assert isinstance(admission, Admission), admission
    params = json.loads(admission.outgoing.body)["params"]
    found = params["arguments"]
    assert isinstance(found, dict)
    return found


async def test_a_mask_that_the_caller_was_given_reaches_the_server_as_the_value(works: Works) -> None:
    mask = await given(works)
    assert mask.startswith("<EMAIL_ADDRESS_")
    sent = await works.admit(tool("get_mail", 2, to=mask, body=json.dumps({"cc": [mask]})))
    assert arguments(sent) == {"to": MAIL, "body": '{"cc": ["bob@example.com"]}'}


async def test_a_mask_in_objects_in_a_row_comes_back_in_each(works: Works) -> None:
    mask = await given(works)
    lines = f'{{"to": "{mask}"}}\n{{"a":1}}\n["{mask} x"]'
    assert arguments(await works.admit(tool("get_mail", 2, body=lines))) == {"body": lines.replace(mask, MAIL)}


async def test_the_value_is_in_nothing_that_is_kept_or_shown(works: Works) -> None:
    mask = await given(works)
    assert arguments(await works.admit(tool("get_mail", 2, to=mask))) == {"to": MAIL}
    kept = works.everything_written() + b"".join(works.screen.calls + works.screen.replies)
    assert MAIL.encode() not in kept
    assert mask.encode() in b"".join(works.screen.calls)


async def test_a_record_says_that_masks_went_on_as_values(works: Works) -> None:
    mask = await given(works)
    await works.admitted(tool("get_mail", 2, to=mask, cc=mask))
    await works.admitted(tool("get_mail", 3, to="nobody"))
    calls = [record["mask"] for record in works.records() if record["typ"] == "call"]
    assert [one.get("restored") for one in calls if isinstance(one, dict)] == [None, {"EMAIL_ADDRESS": 2}, None]


async def test_another_caller_who_learns_of_the_mask_sends_the_mask(works: Works) -> None:
    mask = await given(works)
    sent = await works.admit(tool("get_mail", 2, to=mask), who=token(works.clock, "eve"))
    assert arguments(sent) == {"to": mask}


async def test_another_server_gets_the_mask(works: Works) -> None:
    mask = await given(works)
    works.with_servers(Server("mail", Upstream("mail", 3000, tls=False), {"/mcp": "/mcp"}))
    assert arguments(await works.admit(tool("get_mail", 2, to=mask))) == {"to": mask}
    works.with_servers(Server("crm", Upstream("elsewhere", 3000, tls=False), {"/mcp": "/mcp"}))
    assert arguments(await works.admit(tool("get_mail", 3, to=mask))) == {"to": mask}
    works.with_servers(CRM)
    assert arguments(await works.admit(tool("get_mail", 4, to=mask))) == {"to": MAIL}


async def test_a_mask_whose_reply_was_not_recorded_stands_for_nothing(works: Works, masker: Masker) -> None:
    admission = await works.admitted(tool("get_customer", 1, id=7))
    works.ledger.close()
    refused = await works.release(admission, result(MAIL))
    assert MAIL not in said(refused)
    assert len(works.stations.vault) == 0


async def test_a_value_that_was_forgotten_leaves_the_mask(works: Works) -> None:
    mask = await given(works)
    works.clock.advance(9 * 3600)
    assert arguments(await works.admit(tool("get_mail", 2, to=mask))) == {"to": mask}


async def test_an_address_and_its_mirrored_header_agree(works: Works) -> None:
    mask = await given(works)
    uri = f"crm://find?mail=%3C{mask[1:-1]}%3E"
    read: JsonObject = {"jsonrpc": "2.0", "id": 2, "method": "resources/read", "params": {"uri": uri}}
    sent = await works.admit(read, ("mcp-method", "resources/read"), ("mcp-name", uri), ("mcp-param-x", uri))
    assert isinstance(sent, Answer), "uri is no argument, so nothing may mirror it"
    sent = await works.admit(read, ("mcp-method", "resources/read"), ("mcp-name", uri))
    assert isinstance(sent, Admission)
    meant = "crm://find?mail=bob%40example.com"
    assert json.loads(sent.outgoing.body)["params"] == {"uri": meant}
    assert ("mcp-name", meant) in sent.outgoing.headers


async def test_a_mirrored_argument_has_the_value_too(works: Works) -> None:
    mask = await given(works)
    sent = await works.admit(tool("get_mail", 2, to=mask), ("mcp-param-to", mask))
    assert isinstance(sent, Admission)
    assert ("mcp-param-to", MAIL) in sent.outgoing.headers


async def test_access_rules_judge_the_value_and_not_its_mask(works: Works) -> None:
    mask = await given(works)
    refused = await works.admit(tool("get_outside", 2, to=mask))
    assert "Rule: outside" in said(refused)
    assert MAIL not in said(refused)
    assert arguments(await works.admit(tool("get_outside", 3, to="<EMAIL_ADDRESS_ffffffffffff>")))


async def test_an_approval_covers_the_value_and_its_view_shows_the_mask(works: Works) -> None:
    mask = await given(works)
    held = asyncio.ensure_future(works.admit(tool("delete_customer", 2, to=mask)))
    view = works.desk.decisions.show(await works.waiting())["view"]
    assert isinstance(view, str)
    assert mask in view
    assert MAIL not in view
    assert "restored   | EMAIL_ADDRESS 1: the server gets the values of these masks" in view
    await works.approve()
    assert arguments(await held) == {"to": MAIL}
    (call,) = [record for record in works.records() if record["typ"] == "call" and "appr" in record]
    assert call["mask"]["restored"] == {"EMAIL_ADDRESS": 1}  # type: ignore[index, call-overload] # any JSON


async def test_an_approval_of_the_mask_is_none_of_the_value(works: Works) -> None:
    mask = await given(works)
    works.clock.advance(9 * 3600)
    forgotten = asyncio.ensure_future(works.admit(tool("delete_customer", 2, to=mask)))
    await works.until("hold.opened")
    await given(works, call_id=3)
    known = asyncio.ensure_future(works.admit(tool("delete_customer", 4, to=mask)))
    await works.until("hold.opened", 2)
    opened = [record["appr"] for record in works.records() if record["typ"] == "hold.opened"]
    assert len({one["request"] for one in opened if isinstance(one, dict)}) == 2
    works.screen.gone.set()
    assert all(isinstance(answer, Answer) for answer in await asyncio.gather(forgotten, known))


async def test_a_mask_in_what_a_server_asks_comes_back_in_the_answer(works: Works) -> None:
    session = ("mcp-session-id", "s-1")
    hello: JsonObject = {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "c", "version": "1"},
    }
    opening = await works.admitted({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello})
    await works.release(opening, {"jsonrpc": "2.0", "id": 0, "result": hello}, session)
    stream = EventStream(works.gate, await works.admitted(tool("get_customer"), session), works.screen)
    asked: JsonObject = {
        "jsonrpc": "2.0",
        "id": 9,
        "method": "elicitation/create",
        "params": {"message": f"Is {MAIL} right?"},
    }
    out = await stream.release([b"data: " + jsontext.wire(asked) + b"\n\n"])
    assert out is not None
    mask = out.decode().partition("Is ")[2].partition(" right")[0]
    assert mask.startswith("<EMAIL_ADDRESS_")
    mail = {"action": "accept", "content": {"mail": mask}}
    sent = await works.admit({"jsonrpc": "2.0", "id": 9, "result": mail}, session)
    assert isinstance(sent, Admission), sent
    assert json.loads(sent.outgoing.body)["result"]["content"] == {"mail": MAIL}
    assert MAIL.encode() not in works.everything_written()


async def test_a_long_call_is_looked_through_off_the_event_loop(works: Works) -> None:
    mask = await given(works)
    sent = await works.admit(tool("get_mail", 2, to=mask, body="word " * 60_000))
    assert arguments(sent)["to"] == MAIL


async def listed(works: Works, **schemas: JsonObject) -> None:
    """Let the server list its tool with these schemas."""
    admission = await works.admitted({"jsonrpc": "2.0", "id": 90, "method": "tools/list"})
    offered: JsonObject = {"tools": [{"name": "get_customer", "description": "Reads.", **schemas}]}
    await works.release(admission, {"jsonrpc": "2.0", "id": 90, "result": offered})


async def structured(works: Works, content: JsonObject) -> JsonObject:
    admission = await works.admitted(tool("get_customer", 91, id=7))
    said_by_server: JsonObject = {"content": [], "structuredContent": content}
    answer = await works.release(admission, {"jsonrpc": "2.0", "id": 91, "result": said_by_server})
    found = json.loads(answer.body)["result"]["structuredContent"]
    assert isinstance(found, dict)
    return found


async def test_structured_content_stays_what_the_listed_schema_says_and_comes_back(works: Works) -> None:
    mail: JsonObject = {"type": "object", "properties": {"mail": {"type": "string", "format": "email"}}}
    assert str((await structured(works, {"mail": MAIL}))["mail"]).startswith("<EMAIL_ADDRESS_")
    await listed(works, inputSchema={"type": "object"}, outputSchema=mail)
    mask = str((await structured(works, {"mail": MAIL}))["mail"])
    assert mask.endswith("@masked.example")
    sent = await works.admit(tool("get_mail", 92, to=mask, url=f"x:?to={mask.replace('@', '%40')}"))
    assert arguments(sent) == {"to": MAIL, "url": "x:?to=bob%40example.com"}
    assert MAIL.encode() not in works.everything_written()


async def test_a_schema_that_is_too_large_is_not_remembered(works: Works) -> None:
    await listed(works, outputSchema={"type": "object", "properties": {"mail": {"format": "email"}}})
    wide: JsonObject = {"type": "object", "properties": {"mail": {"format": "email"}}, "x": "y" * 70_000}
    works.stations.catalogs.of("crm").learn_schemas("get_customer", {"outputSchema": wide}, 70_000)
    assert str((await structured(works, {"mail": MAIL}))["mail"]).startswith("<EMAIL_ADDRESS_")


async def test_a_value_that_only_its_place_gives_away_never_comes_back(works: Works) -> None:
    """A server that says again what it was sent would say it where nothing gives it away."""
    mask = json.loads(await given(works, json.dumps({"email": "bob@localhost"})))["email"]
    assert mask.startswith("<EMAIL_ADDRESS_")
    sent = await works.admit(tool("search", 2, q=mask))
    assert arguments(sent) == {"q": mask}
    assert b"bob@localhost" not in works.everything_written()
