"""What a Record is in OCSF's words: class, activity, severity, status, action. Standard library only.

OCSF 1.8.0, https://github.com/ocsf/ocsf-schema at tag v1.8.0. `docs/siem.md` prints these tables, and a test compares.
"""

import dataclasses
from typing import Final

from holdfast.errors import Cause
from holdfast.evidence.files.entry import Entry

UNKNOWN, OTHER = 0, 99  # of every enumeration of OCSF
INFORMATIONAL, LOW, MEDIUM, HIGH = 1, 2, 3, 4
SEVERITIES: Final = {INFORMATIONAL: "Informational", LOW: "Low", MEDIUM: "Medium", HIGH: "High"}
SUCCESS, FAILURE = 1, 2
ALLOWED, DENIED, OBSERVED = 1, 2, 3


@dataclasses.dataclass(frozen=True, slots=True)
class Class:
    """A class of OCSF: its number, its caption and the captions of the activities that we use."""

    uid: int
    caption: str
    activities: dict[int, str]


# A message, a Hold or an Approval is something that somebody did through an API.
API_ACTIVITY: Final = Class(6003, "API Activity", {1: "Create", 2: "Read", 3: "Update", 4: "Delete"})
# The gateway's own Records have no source and no API; an API Activity of them would have to invent both.
APPLICATION_LIFECYCLE: Final = Class(6002, "Application Lifecycle", {3: "Start", 4: "Stop", 8: "Update"})

GATEWAY_TYPS: Final = (
    *("ledger.genesis", "ledger.start", "ledger.stop", "ledger.heartbeat", "ledger.rotated"),
    *("payload.erased", "witness.down", "witness.up", "evidence.exported", "rules.loaded"),
    "tool.pinned",
)

# What a tool does its name does not say, so tools/call is Other; so is every method that is not listed.
METHOD_ACTIVITIES: Final = {
    "server/discover": 2,
    "tools/list": 2,
    "resources/list": 2,
    "resources/templates/list": 2,
    "resources/read": 2,
    "prompts/list": 2,
    "prompts/get": 2,
    "roots/list": 2,
    "tasks/list": 2,
    "tasks/get": 2,
    "tasks/result": 2,
    "resources/subscribe": 1,
    "resources/unsubscribe": 4,
    "logging/setLevel": 3,
}
TYP_ACTIVITIES: Final = {"ledger.start": 3, "ledger.stop": 4, "rules.loaded": 8}
_MESSAGE_TYPS: Final = ("call", "reply", "refused", "call.lost")  # whose activity is that of their method

# A SIEM ranks by these; every Cause has one, which a test holds.
CAUSE_SEVERITIES: Final = {
    Cause.UNAUTHENTICATED: MEDIUM,
    Cause.FORBIDDEN: MEDIUM,
    Cause.MALFORMED: LOW,
    Cause.UNSUPPORTED: LOW,
    Cause.TOO_LARGE: LOW,
    Cause.NOT_FOUND: LOW,
    Cause.NO_SESSION: INFORMATIONAL,  # clients meet it after every restart
    Cause.DENIED_BY_RULE: MEDIUM,
    Cause.DENIED_BY_APPROVER: MEDIUM,
    Cause.HOLD_EXPIRED: LOW,
    Cause.HOLD_PENDING: INFORMATIONAL,
    Cause.OVER_BUDGET: MEDIUM,
    Cause.SERVER_FAULT: MEDIUM,
    Cause.UNAVAILABLE: HIGH,  # the gateway could not do its duty
}
TYP_SEVERITIES: Final = {
    "call.lost": MEDIUM,
    "hold.opened": LOW,
    "approval": LOW,
    "ledger.stop": LOW,
    "ledger.rotated": LOW,
    "payload.erased": LOW,
    "evidence.exported": LOW,
    "rules.loaded": LOW,
    "witness.down": MEDIUM,
    "tool.screened": MEDIUM,
    "tool.pinned": LOW,
}
OUTCOME_STATUSES: Final = {"used": SUCCESS, "denied": FAILURE, "expired": FAILURE, "abandoned": FAILURE}

# Which rules decided; where nothing says so, the event does not either.
CAUSE_POLICIES: Final = {
    Cause.DENIED_BY_RULE: "access",
    Cause.DENIED_BY_APPROVER: "approval",
    Cause.HOLD_EXPIRED: "approval",
    Cause.HOLD_PENDING: "approval",
    Cause.OVER_BUDGET: "budget",
}
_SEVERITY_BY_CAUSE: Final = {cause.value: severity for cause, severity in CAUSE_SEVERITIES.items()}
_POLICY_BY_CAUSE: Final = {cause.value: kind for cause, kind in CAUSE_POLICIES.items()}


def class_of(entry: Entry) -> Class:
    """Application Lifecycle for what the gateway says about itself, API Activity for everything else."""
    return APPLICATION_LIFECYCLE if entry.typ in GATEWAY_TYPS else API_ACTIVITY


def activity_of(entry: Entry) -> tuple[int, str]:
    """``activity_id`` and ``activity_name``; for 99 the name is the method, else the typ."""
    method = entry.text("rpc", "method") if entry.typ in _MESSAGE_TYPS else ""
    activity = METHOD_ACTIVITIES.get(method, OTHER) if method else TYP_ACTIVITIES.get(entry.typ, OTHER)
    return activity, class_of(entry).activities.get(activity) or method or entry.typ


def severity_of(entry: Entry) -> int:
    """``severity_id``."""
    match entry.typ:
        case "refused":
            return _SEVERITY_BY_CAUSE.get(entry.text("cause"), MEDIUM)
        case "reply":
            return LOW if entry.flag("out", "ok") is False else INFORMATIONAL
        case "ledger.start":
            return MEDIUM if entry.flag("clean") is False else INFORMATIONAL
        case "ledger.genesis":
            return HIGH if entry.member("abandoned") is not None else INFORMATIONAL
        case "tool.defined":
            return MEDIUM if entry.text("tool", "previous") else INFORMATIONAL
        case _:
            return TYP_SEVERITIES.get(entry.typ, INFORMATIONAL)


def status_of(entry: Entry) -> tuple[int, str]:
    """``status_id`` and ``status``; for 99 the status is our own word."""
    match entry.typ:
        case "call":
            # The Record is written before the Call goes out: how it ends, its `reply` or `call.lost` says.
            return (FAILURE, "Failure") if entry.text("dec", "effect") == "deny" else (UNKNOWN, "Unknown")
        case "reply":
            return (SUCCESS, "Success") if entry.flag("out", "ok") else (FAILURE, "Failure")
        case "refused" | "witness.down":
            return FAILURE, "Failure"
        case "call.lost":
            return OTHER, "lost"  # the server may have done it all the same
        case "hold.opened":
            return OTHER, "held"
        case "hold.closed":
            outcome = entry.text("outcome")
            status = OUTCOME_STATUSES.get(outcome, OTHER)
            return status, {SUCCESS: "Success", FAILURE: "Failure"}.get(status, outcome)
        case _:
            return SUCCESS, "Success"


def action_of(entry: Entry) -> tuple[int, str]:
    """``action_id`` and ``action`` of an API Activity: what the gateway did about it."""
    match entry.typ:
        case "call":
            by_effect = {"allow": (ALLOWED, "Allowed"), "deny": (DENIED, "Denied")}
            return by_effect.get(entry.text("dec", "effect"), (OTHER, "held"))
        case "approval":
            return (ALLOWED, "Allowed") if entry.text("decision") == "approve" else (DENIED, "Denied")
        case "refused":
            return DENIED, "Denied"
        case "hold.opened":
            return OTHER, "held"
        case "hold.closed":
            status = OUTCOME_STATUSES.get(entry.text("outcome"), OTHER)
            return {SUCCESS: (ALLOWED, "Allowed"), FAILURE: (DENIED, "Denied")}.get(status, (OTHER, "held"))
        case "reply" | "session.opened" | "stream.opened":
            return ALLOWED, "Allowed"
        case _:
            return OBSERVED, "Observed"


def policy_type_of(entry: Entry) -> str:
    """``policy.type`` of an authorization: access, approval, budget or tools; empty where the Record does not say."""
    if entry.typ == "refused":
        return _POLICY_BY_CAUSE.get(entry.text("cause"), "")
    if entry.typ.startswith("tool."):
        return "tools" if entry.member("dec") is not None else ""
    if entry.typ in ("hold.opened", "approval") or entry.member("appr") is not None:
        return "approval"  # also of a `call` that a person approved: its dec.rule is the rule that held it
    return "access" if entry.member("dec") is not None else ""
