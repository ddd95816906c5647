"""The view: the text that an approver is shown, and signs the digest of.

It is made of masked values only, the same bytes for the same Hold. Whatever the caller wrote stands after ``| `` on
every line, folded by us, with unseen characters spelled out, so that nothing in a call can pass for a line of ours.
"""

import dataclasses
import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Final

from holdfast.approval.visible import fold, visible
from holdfast.call import Call
from holdfast.clock import utc_text
from holdfast.errors import Cause, Refused
from holdfast.identity.caller import Caller
from holdfast.policy.holding import HoldRule

VIEW_BYTES_MAX: Final = 1024 * 1024  # some twelve thousand lines: more than anyone reads
_COLUMNS: Final = 96
_LABEL_CHARS: Final = 11


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """What a view is made of. ``call`` and ``notes`` are masked; ``counts`` are findings by entity.

    ``restored`` are masks, by entity, for which the server would be sent the values.
    """

    hold: str
    call: Call
    digest_hex: str
    caller: Caller
    rule: HoldRule
    server: str
    counts: Mapping[str, int]
    opened_at: dt.datetime
    expires_at: dt.datetime
    rules_digest_hex: str
    path: str = ""
    notes: tuple[str, ...] = ()
    restored: Mapping[str, int] = dataclasses.field(default_factory=dict)


def build_view(shown: Shown) -> bytes:
    """The view as UTF-8 text, lines ending in a newline.

    Raises:
        Refused: DENIED_BY_RULE, the call is too large to be reviewed, so nobody can approve it.
    """
    # Members beside params travel too (a later version of MCP may have some): an approver sees them first.
    sent = shown.call.params if not shown.call.extra else {**shown.call.extra, "params": shown.call.params}
    params = json.dumps(sent, indent=2, sort_keys=True, ensure_ascii=False)
    if len(params) > VIEW_BYTES_MAX:
        raise _too_large(shown.rule)
    data = "".join(f"{line}\n" for line in _lines(shown, params)).encode("utf-8")
    if len(data) > VIEW_BYTES_MAX:
        raise _too_large(shown.rule)
    return data


def _too_large(rule: HoldRule) -> Refused:
    return Refused(
        Cause.DENIED_BY_RULE,
        f"the call needs an approval, and is too large to be shown: its view has more than {VIEW_BYTES_MAX} bytes",
        rule=rule.id,
        next_step="Send smaller arguments.",
    )


def view_digest_hex(view: bytes) -> str:
    """SHA-256 over exactly the bytes shown, as hex."""
    return hashlib.sha256(view).hexdigest()


def _lines(shown: Shown, params: str) -> Iterator[str]:
    yield f"HOLD {shown.hold}"
    yield from _field("server", f"{shown.server} {shown.path}".strip())
    yield from _field("method", shown.call.method)
    if shown.call.name is not None:
        yield from _field("name", shown.call.name)
    yield from _caller(shown.caller)
    yield from _field("rule", f"{shown.rule.id}: {shown.rule.description}")
    if shown.rule.approvals_needed > 1:
        yield from _field("needs", f"{shown.rule.approvals_needed} different approvers")
    yield from _field("findings", _counts(shown.counts))
    if shown.restored:
        yield from _field("restored", f"{_counts(shown.restored)}: the server gets the values of these masks")
    yield from _field("opened", utc_text(shown.opened_at))
    yield from _field("decide by", utc_text(shown.expires_at))
    yield from _field("request", shown.digest_hex)
    yield from _field("rules", shown.rules_digest_hex)
    if shown.notes:
        yield ""
        yield "about the definition of what is called, masked:"
        yield from _quoted(list(shown.notes))
    yield ""
    yield "params as they would be sent, masked:"
    yield from _quoted(params.split("\n"))
    yield f"end of {shown.hold}: {_unusual(params)}"


def _field(label: str, value: str) -> Iterator[str]:
    first, *others = fold(visible(value), _COLUMNS - _LABEL_CHARS - 2)
    yield f"{label:<{_LABEL_CHARS}}| {first}"
    for piece in others:
        yield f"{'':<{_LABEL_CHARS}}| {piece}"


def _caller(caller: Caller) -> Iterator[str]:
    yield from _field("caller", f"{caller.name} ({caller.sub} at {caller.iss})")
    if caller.client:
        yield from _field("client", caller.client)
    if caller.groups:
        yield from _field("groups", ", ".join(caller.groups))
    for actor in caller.act:
        yield from _field("acting", actor)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{entity} {count}" for entity, count in sorted(counts.items())) or "none"


def _quoted(lines: list[str]) -> Iterator[str]:
    for line in lines:
        first, *others = fold(visible(line), _COLUMNS)
        yield f"| {first}"
        for piece in others:
            yield f"|… {piece}"


def _unusual(text: str) -> str:
    # Letters of other scripts that look like Latin ones cannot be told apart here: say how many there are.
    count = sum(not char.isascii() for char in text)
    return f"{count} characters outside ASCII" if count else "ASCII only"
