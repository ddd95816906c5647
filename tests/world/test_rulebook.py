"""The demo's rules are the shipped ones with a few lines on top."""

from pathlib import Path

import pytest
from scripts.demo_world.rulebook import DENYING_RULE, HOLDING_RULE, SHIPPED, Trust, extended, write_rules

from holdfast.policy.ruleset import load_ruleset

KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8032 7.1, test 1


@pytest.mark.parametrize("text", ["rules: []\n", "rules: []  # none yet\n", "rules:\n", "rules:\n  # later\n"])
def test_an_empty_list_takes_an_entry(text: str) -> None:
    assert extended(text, "rules", "- id: a\n  x: 1\n").startswith("rules:\n  - id: a\n    x: 1\n")


def test_an_entry_goes_before_those_that_are_there_with_their_indentation() -> None:
    assert extended("a: 1\nrules:\n\n- id: b\n", "rules", "- id: a\n") == "a: 1\nrules:\n- id: a\n\n- id: b\n"
    assert "\n    - id: a\n" in extended("rules:\n    - id: b\n", "rules", "- id: a\n")


def test_a_list_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ValueError, match="no list rules"):
        extended("# rules: []\n", "rules", "- id: a\n")


def test_the_rules_of_the_demo_load_and_masking_and_access_stay_as_shipped(tmp_path: Path) -> None:
    approver = {"id": "dana", "name": "Dana", "groups": ["mcp-approvers"], "public_key": KEY}
    write_rules(tmp_path / "rules", Trust("http://127.0.0.1:1", "http://127.0.0.1:2/mcp", approver))
    rules = load_ruleset(tmp_path / "rules")
    assert [issuer.id for issuer in rules.identity.issuers] == ["demo"]
    assert [someone.id for someone in rules.approval.approvers] == ["dana"]
    holding = [rule.id for rule in rules.approval.rules]
    assert holding[0] == "demo-exports"
    assert HOLDING_RULE in holding
    assert DENYING_RULE in [rule.id for rule in rules.access.rules]
    for name in ("masking.yaml", "access.yaml"):
        assert (tmp_path / "rules" / name).read_bytes() == (SHIPPED / name).read_bytes()
