"""The chronological log of the report: one line per Record, in words."""

import dataclasses
import datetime as dt
from collections.abc import Iterable
from typing import Final

from holdfast.evidence.entry import Entry
from holdfast.evidence.facts import party_of
from holdfast.evidence.tables import counts_text
from holdfast.ledger.fields import PAYLOAD_MEMBERS

PAGE_LINES: Final = 100
HEAD_LINES_MAX: Final = 1000  # a browser lays out two thousand rows at once; population.csv holds the rest
TAIL_LINES_MAX: Final = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """A Record in words. ``tone`` picks the mark beside it; ``payloads`` are commitments of what it kept."""

    index: int
    at: dt.datetime
    typ: str
    tone: str
    who: str
    text: str
    findings: str
    payloads: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Chronicle:
    """The log's pages; ``left_out`` counts the Records between the two halves."""

    head: tuple[tuple[Line, ...], ...]
    tail: tuple[tuple[Line, ...], ...]
    left_out: int


def chronicle(entries: Iterable[Entry], count: int) -> Chronicle:
    """The lines of ``count`` Records: all of them, or the first and the last of very many."""
    if count <= HEAD_LINES_MAX + TAIL_LINES_MAX:
        return Chronicle(_pages([line(entry) for entry in entries]), (), 0)
    head: list[Line] = []
    tail: list[Line] = []
    for place, entry in enumerate(entries):
        if place < HEAD_LINES_MAX:
            head.append(line(entry))
        elif place >= count - TAIL_LINES_MAX:
            tail.append(line(entry))
    return Chronicle(_pages(head), _pages(tail), count - len(head) - len(tail))


def _pages(lines: list[Line]) -> tuple[tuple[Line, ...], ...]:
    return tuple(tuple(lines[start : start + PAGE_LINES]) for start in range(0, len(lines), PAGE_LINES))


def line(entry: Entry) -> Line:
    """``entry`` in words."""
    party = party_of(entry) or party_of(entry, "approver")
    text, tone = _say(entry)
    payloads = tuple(c for name in PAYLOAD_MEMBERS if (c := entry.text(name, "c")))
    findings = counts_text(entry.counts("mask", "counts"))
    return Line(entry.index, entry.at, entry.typ, tone, party.title if party else "", text, findings, payloads)


def _say(entry: Entry) -> tuple[str, str]:
    match entry.typ:
        case "call":
            return _say_call(entry)
        case "reply":
            return _say_reply(entry)
        case "hold.opened" | "approval" | "hold.closed":
            return _say_hold(entry)
        case "call.lost":
            return f"no reply to record {_refs(entry)}: {entry.text('reason')}", "bad"
        case "refused":
            what = _what(entry)
            return (
                f"{what + ': ' if what else ''}{entry.text('cause').replace('_', ' ')}: {entry.text('reason')}",
                "bad",
            )
        case _:
            return _say_ledger(entry)


def _say_hold(entry: Entry) -> tuple[str, str]:
    hold_id, outcome = entry.text("appr", "id"), entry.text("outcome")
    if entry.typ == "hold.opened":
        return f"{_what(entry)} waits for an approval, hold {hold_id}", "hold"
    if entry.typ == "approval":
        tone = "approved" if entry.text("decision") == "approve" else "bad"
        return f"{entry.text('decision')} for hold {hold_id}: {entry.text('reason')}", tone
    tone = {"used": "approved", "pending": "hold", "interrupted": "hold"}.get(outcome, "bad")
    return f"hold {hold_id}: {outcome}", tone


def _say_ledger(entry: Entry) -> tuple[str, str]:
    match entry.typ:
        case "rules.loaded":
            return f"rules {entry.text('rules')[:16]} came into force", "change"
        case "ledger.start":
            clean = "" if entry.flag("clean") is not False else ", after a stop that was not recorded"
            return f"gateway {entry.text('gw', 'version')} started{clean}", "change"
        case "ledger.stop":
            return "gateway stopped", "change"
        case "ledger.genesis":
            return "ledger began", "change"
        case "session.opened" | "session.closed":
            return f"session {entry.text('sid')[:16]} {entry.typ.removeprefix('session.')}", "quiet"
        case _:
            return "", "quiet"


def _say_call(entry: Entry) -> tuple[str, str]:
    effect = entry.text("dec", "effect")
    rule = entry.text("dec", "rule")
    arrow = "←" if entry.text("rpc", "dir") == "to_client" else "→"
    text = f"{arrow} {entry.text('dst', 'server')} {_what(entry)}"
    if effect == "deny":
        return f"{text}: denied by {rule or 'default'}", "bad"
    if hold_id := entry.text("appr", "id"):
        return f"{text}: went after approval, hold {hold_id}", "approved"
    return f"{text}: allowed by {rule or 'default'}", "good"


def _say_reply(entry: Entry) -> tuple[str, str]:
    code, ms = entry.text("out", "code"), entry.number("out", "ms")
    took = "" if ms is None else f" in {ms} ms"
    is_failure = entry.flag("out", "ok") is False
    outcome = f"failed, code {code}" if is_failure else "answered"
    return f"{outcome}{took} (record {_refs(entry)})", "bad" if is_failure else "good"


def _what(entry: Entry) -> str:
    return f"{entry.text('rpc', 'method')} {entry.text('mcp', 'name')}".strip()


def _refs(entry: Entry) -> str:
    return ", ".join(map(str, entry.refs())) or "—"
