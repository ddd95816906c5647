"""`operator: encrypt` through the gate: the client and the payload have what only the key holder can open."""

import json
from pathlib import Path

from tests.gate.works import Works, result, tool, write_rules
from tests.masking.test_sealing import PRIVATE, RULES, SSN

from holdfast.ledger.reader import open_reader
from holdfast.masking.masker import Masker
from holdfast.masking.sealing import open_all
from holdfast.policy.ruleset import load_ruleset


async def test_a_reply_is_kept_and_shown_encrypted_and_its_holder_opens_both(tmp_path: Path) -> None:
    rules = load_ruleset(write_rules(tmp_path, masking=RULES))
    works = Works(tmp_path, rules, Masker(rules.masking, bytes(32)))
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
