"""What is kept through the gate: values that only a key holder can open, and what was found, one by one."""

import importlib.metadata
import json
from pathlib import Path

from tests.gate.works import Works, result, tool, write_rules
from tests.live.harness.warm import masker_of
from tests.masking.conftest import rules_of
from tests.masking.test_sealing import PRIVATE, RULES, SSN

from holdfast.call import Call, Direction
from holdfast.found import found
from holdfast.jsontext import JsonObject
from holdfast.ledger.reader import open_reader
from holdfast.masking.finding import Finding, Masked
from holdfast.masking.sealing import open_all
from holdfast.masking.versions import Versions
from holdfast.policy.ruleset import load_ruleset


async def test_a_reply_is_kept_and_shown_encrypted_and_its_holder_opens_both(tmp_path: Path) -> None:
    rules = load_ruleset(write_rules(tmp_path, masking=RULES))
    works = Works(tmp_path, rules, masker_of(rules.masking))
    try:
        answer = await works.release(await works.admitted(tool("get_customer", 1)), result(f"SSN {SSN}"))
        text = json.loads(answer.body)["result"]["content"][0]["text"]
        assert open_all(text, "dpo", PRIVATE) == (f"SSN {SSN}", 1)
        assert SSN.encode() not in works.everything_written() + answer.body
        reply = works.records()[-1]["res"]
        assert isinstance(reply, dict)
        with open_reader(works.data) as reader:
            payload = reader.payload(str(reply["c"]))
        assert payload is not None
        assert SSN in open_all(payload[2].decode(), "dpo", PRIVATE)[0]
    finally:
        works.ledger.close()


async def test_what_was_found_stands_one_by_one_beside_the_message(tmp_path: Path) -> None:
    rules = load_ruleset(write_rules(tmp_path, masking=RULES))
    works = Works(tmp_path, rules, masker_of(rules.masking))
    try:
        content: JsonObject = {"structuredContent": {"ssn": "unknown", "note": f"Bluebird {SSN}"}}
        await works.release(await works.admitted(tool("get_customer", 1, id=7)), {**result("", 1), "result": content})
        call, reply = works.records()
        assert "found" not in call
        assert isinstance(reply["found"], dict)
        with open_reader(works.data) as reader:
            kept = reader.payload(str(reply["found"]["c"]))
        assert kept is not None
        listed = json.loads(kept[2])["findings"]
        assert [(one["rule"], one["entity"], one["path"], one["length"]) for one in listed] == [
            ("ssn-key", "US_SSN", "/result/structuredContent/ssn", 7),
            ("projects", "PROJECT", "/result/structuredContent/note", 8),
            ("us-ssn", "US_SSN", "/result/structuredContent/note", 11),
        ]
        assert [one["recognizer"] for one in listed] == ["key", "projects", "UsSsnRecognizer"]
        assert listed[2]["version"] == importlib.metadata.version("presidio-analyzer")
        assert all(len(one["version"]) == 12 for one in listed[:2])
        assert 0 < listed[2]["score"] <= 1
        assert SSN.encode() not in kept[2]
    finally:
        works.ledger.close()


def test_the_version_of_a_rule_changes_with_what_it_does_and_not_with_where_it_stands() -> None:
    before, below = Versions(rules_of(RULES)), Versions(rules_of(RULES.replace("deny:", "# a line more\ndeny:")))
    other = Versions(rules_of(RULES.replace("[Bluebird]", "[Redbird]")))
    assert before.of("projects") == below.of("projects") != other.of("projects")
    assert before.of("ssn-key") == other.of("ssn-key")


def test_of_very_many_findings_the_first_are_listed_and_the_others_counted() -> None:
    one = Finding("r", "US_SSN", "/" + "x" * 400, 11, 0.5, "UsSsnRecognizer", "1")
    call = Call("tools/call", None, 1, Direction.TO_SERVER)
    body = json.loads(found(Masked(call, call, (one,) * 502, restored=(one,)))["found"].data)
    assert (len(body["findings"]), len(body["restored"]), body["more"]) == (500, 1, 2)
    assert len(body["findings"][0]["path"]) == 300
    assert found(Masked(call, call, ())) == {}
