"""What the approver's command line prints: tables, outcomes, the entry for the rules."""

import json
from collections.abc import Sequence
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.approval.client import summary_text
from holdfast.approval.keys import public_text
from holdfast.approval.statement import Choice
from holdfast.approval.visible import visible
from holdfast.jsontext import Json, JsonObject

_HEADS: Final = ("ID", "AGE", "EXPIRES IN", "CALLER", "TOOL", "RULE", "APPROVALS")
_CELL_CHARS_MAX: Final = 40  # the rest is in `show`


def table(holds: Sequence[JsonObject]) -> str:
    """The Holds that wait, one per line, or a sentence that there are none."""
    if not holds:
        return "no call waits for approval"
    rows = [_HEADS, *(_row(hold) for hold in holds)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    return "\n".join(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def ended(hold: JsonObject) -> str:
    """What became of a Hold that can be decided no more."""
    note = summary_text(hold, "note")
    return f"{summary_text(hold, 'id')} is {summary_text(hold, 'state')}" + (f": {visible(note)}" if note else "")


def outcome(hold: JsonObject, choice: Choice) -> str:
    """What a decision did."""
    hold_id, approver = summary_text(hold, "id"), visible(summary_text(hold, "approver"))
    if choice == "deny":
        return f"{hold_id} denied by {approver}"
    if hold.get("state") == "granted":
        return f"{hold_id} approved by {approver}; it can be used once"
    return f"{hold_id} approved by {approver}: {_approvals(hold)}, still waiting for more"


def yaml_entry(entry: JsonObject) -> str:
    """The list item to put under ``approvers:`` in rules/approval.yaml."""
    # A JSON string or list in ASCII is the same in YAML.
    lines = [f"{key}: {json.dumps(value)}" for key, value in entry.items()]
    return "  - " + "\n    ".join(lines)


def key_text(key: Ed25519PrivateKey) -> str:
    """The public half of ``key`` as the rules spell it."""
    return public_text(key.public_key().public_bytes_raw())


def _row(hold: JsonObject) -> tuple[str, ...]:
    caller = hold.get("caller")
    name: Json = caller.get("name") or caller.get("sub") if isinstance(caller, dict) else None
    return (
        summary_text(hold, "id"),
        _duration(hold.get("age_s")),
        _duration(hold.get("left_s")),
        _cell(str(name or "")),
        _cell(summary_text(hold, "name") or summary_text(hold, "method")),
        _cell(summary_text(hold, "rule")),
        _approvals(hold),
    )


def _approvals(hold: JsonObject) -> str:
    return f"{summary_text(hold, 'approvals')} of {summary_text(hold, 'approvals_needed')}"


def _cell(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _CELL_CHARS_MAX else shown[: _CELL_CHARS_MAX - 1] + "…"


def _duration(value: Json) -> str:
    seconds = value if isinstance(value, int) else 0
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{rest:02}s" if minutes else f"{rest}s"
