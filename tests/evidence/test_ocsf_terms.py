"""What a Record is in OCSF's words: status, action, severity, activity, decision."""

import re
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.ocsf_schema import faults, table_of
from tests.evidence.samples_of_records import MESSAGE, entry_of

from holdfast.errors import Cause
from holdfast.evidence.siem import ocsf, ocsf_terms
from holdfast.jsontext import JsonObject

PAGE = (Path(__file__).parents[2] / "docs" / "siem.md").read_text("utf-8")


def event_of(typ: str, body: JsonObject) -> dict[str, Any]:
    return dict(ocsf.event(entry_of(typ, body)))


@pytest.mark.parametrize(
    ("typ", "body", "expected"),
    [
        ("call", {"dec": {"effect": "allow"}}, (0, 1, 1)),
        ("call", {"dec": {"effect": "deny"}}, (2, 2, 1)),
        ("reply", {"ref": [3], "out": {"ok": True}}, (1, 1, 1)),
        ("reply", {"ref": [3], "out": {"ok": False, "code": -32000}}, (2, 1, 2)),
        ("call.lost", {"ref": [3], "reason": "it stopped"}, (99, 3, 3)),
        ("hold.opened", {"dec": {"effect": "hold"}, "appr": {"id": "H-1"}}, (99, 99, 2)),
        ("hold.closed", {"appr": {"id": "H-1"}, "outcome": "used"}, (1, 1, 1)),
        ("hold.closed", {"appr": {"id": "H-1"}, "outcome": "denied"}, (2, 2, 1)),
        ("hold.closed", {"appr": {"id": "H-1"}, "outcome": "pending"}, (99, 99, 1)),
    ],
)
def test_status_action_and_severity_follow_from_what_was_decided(
    typ: str, body: JsonObject, expected: tuple[int, int, int]
) -> None:
    shared = {name: value for name, value in MESSAGE.items() if name in {"call", "rpc"}}
    event = event_of(typ, shared | body)
    assert (event["status_id"], event["action_id"], event["severity_id"]) == expected


@pytest.mark.parametrize("cause", Cause)
def test_every_cause_of_a_refusal_has_a_severity_and_is_a_failure(cause: Cause) -> None:
    event = event_of("refused", {"cause": cause.value, "reason": "no", "src": {"ip": "203.0.113.9"}})
    assert event["severity_id"] == ocsf_terms.CAUSE_SEVERITIES[cause]
    assert (event["status_id"], event["status_code"]) == (2, cause.value)


@pytest.mark.parametrize(
    ("typ", "body", "expected"),
    [
        ("call", {}, {"decision": "allow", "policy": {"type": "access", "uid": "support-reads"}}),
        (
            "call",
            {"appr": {"id": "H-1"}},
            {"decision": "allow", "policy": {"type": "approval", "uid": "support-reads"}},
        ),
        ("call", {"dec": {"effect": "deny", "rule": None}}, {"decision": "deny", "policy": {"type": "access"}}),
        ("hold.opened", {"appr": {"id": "H-1"}, "dec": {"effect": "hold"}}, {"decision": "hold"}),
        ("refused", {"cause": "denied_by_rule"}, {"decision": "deny", "policy": {"type": "access"}}),
        ("refused", {"cause": "denied_by_rule", "rule": "r"}, {"decision": "deny", "policy": {"uid": "r"}}),
        ("refused", {"cause": "hold_pending"}, {"decision": "hold", "policy": {"type": "approval"}}),
        ("refused", {"cause": "unauthenticated", "rule": "corp"}, {"decision": "deny", "policy": {"uid": "corp"}}),
        ("refused", {"cause": "malformed"}, None),
        ("reply", {"ref": [3], "out": {"ok": True}}, None),
    ],
)
def test_a_decision_names_its_rule_and_which_rules_decided(
    typ: str, body: JsonObject, expected: dict[str, object] | None
) -> None:
    shared = {"reason": "no"} if typ == "refused" else {key: MESSAGE[key] for key in ("call", "rpc")}
    event = event_of(typ, shared | ({"dec": MESSAGE["dec"]} if typ == "call" else {}) | body)
    (found,) = event.get("authorizations", [None])
    assert faults(event) == []
    if expected is None:
        assert found is None
        return
    assert found["decision"] == expected["decision"]
    assert dict(expected.get("policy", {})).items() <= found["policy"].items()  # type: ignore[call-overload] # it is a dict


def test_an_unknown_method_is_other_under_its_own_name() -> None:
    event = event_of("call", MESSAGE | {"rpc": {"method": "x/y", "dir": "to_server", "kind": "request"}})
    assert (event["activity_id"], event["activity_name"], event["type_uid"]) == (99, "x/y", 600399)


def test_the_page_names_the_activities_as_the_code_does() -> None:
    captions = ocsf_terms.API_ACTIVITY.activities | ocsf_terms.APPLICATION_LIFECYCLE.activities
    activities = ocsf_terms.METHOD_ACTIVITIES | ocsf_terms.TYP_ACTIVITIES
    assert table_of(PAGE, "Activities") == [(name, f"{uid} {captions[uid]}") for name, uid in activities.items()]


def test_the_page_names_the_severities_as_the_code_does() -> None:
    by_cause = {f"refused, {cause.value}": uid for cause, uid in ocsf_terms.CAUSE_SEVERITIES.items()}
    rows = {row[0]: row[1] for row in table_of(PAGE, "Severities")}
    for name, uid in (by_cause | ocsf_terms.TYP_SEVERITIES).items():
        assert rows.pop(name) == f"{uid} {ocsf_terms.SEVERITIES[uid]}"
    assert set(rows) == {"reply", "ledger.start", "ledger.genesis", "tool.defined"}
    assert all(re.match(r"[1-4] (Informational|Low|Medium|High)\b", text) for text in rows.values())
