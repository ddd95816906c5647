"""The chronological log of the report: one line per Record, in words."""

import dataclasses
import datetime as dt
from typing import Final

from holdfast.evidence.files.entry import Entry
from holdfast.evidence.story.facts import party_of
from holdfast.evidence.story.reading import engine_text
from holdfast.evidence.tables.material import Entries
from holdfast.evidence.tables.population import counts_text

PAGE_LINES: Final = 100
HALF_LINES_MAX: Final = 500  # a thousand rows are what a browser lays out at once; 02-population.csv holds the rest


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """A Record in words. ``tone`` picks the mark beside it."""

    index: int
    at: dt.datetime
    typ: str
    tone: str
    who: str
    text: str
    findings: str


@dataclasses.dataclass(frozen=True, slots=True)
class Chronicle:
    """The log's pages; ``left_out`` counts the Records between the two halves."""

    head: tuple[tuple[Line, ...], ...]
    tail: tuple[tuple[Line, ...], ...]
    left_out: int


def chronicle(entries: Entries, start: int, end: int) -> Chronicle:
    """The lines of the Records ``start`` to before ``end``: all of them, or the first and the last of very many.

    Withheld Records have no line; ``left_out`` counts them only where they lie between the two halves.
    """
    if end - start <= 2 * HALF_LINES_MAX:
        return Chronicle(_pages([line(entry) for entry in entries(start, end)]), (), 0)
    head = [line(entry) for entry in entries(start, start + HALF_LINES_MAX)]
    tail = [line(entry) for entry in entries(end - HALF_LINES_MAX, end)]
    return Chronicle(_pages(head), _pages(tail), end - start - 2 * HALF_LINES_MAX)


def _pages(lines: list[Line]) -> tuple[tuple[Line, ...], ...]:
    return tuple(tuple(lines[start : start + PAGE_LINES]) for start in range(0, len(lines), PAGE_LINES))


def line(entry: Entry) -> Line:
    """``entry`` in words."""
    party = party_of(entry) or party_of(entry, "approver")
    who = party.title if party else entry.text("operator", "name")
    text, tone = _say(entry)
    return Line(entry.index, entry.at, entry.typ, tone, who, text, counts_text(entry.counts("mask", "counts")))


def _say(entry: Entry) -> tuple[str, str]:
    match entry.typ:
        case "call":
            return _say_call(entry)
        case "reply":
            return _say_reply(entry)
        case "hold.opened" | "approval" | "hold.closed":
            return _say_hold(entry)
        case "reply.part":
            return f"a part of the reply to record {_refs(entry)} went back", "quiet"
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
            engine = engine_text(entry)
            found_with = f", masking finds with {engine}" if engine else ""
            return f"rules {entry.text('rules')[:16]} came into force{found_with}", "change"
        case "tool.defined" | "tool.screened" | "tool.pinned":
            return _say_tool(entry)
        case "ledger.start":
            clean = "" if entry.flag("clean") is not False else ", after a stop that was not recorded"
            return f"gateway {entry.text('gw', 'version')} started{clean}", "change"
        case "ledger.stop":
            return "gateway stopped", "change"
        case "ledger.genesis":
            is_new = entry.member("abandoned") is None
            return "ledger began" if is_new else f"ledger began anew after a loss: {entry.text('reason')}", "change"
        case "ledger.rotated":
            return f"a new key signs from here on: {entry.text('reason')}", "change"
        case "session.opened" | "session.closed":
            return f"session {entry.text('sid')[:16]} {entry.typ.removeprefix('session.')}", "quiet"
        case "stream.opened" | "stream.closed":
            return f"stream {entry.typ.removeprefix('stream.')} {entry.text('reason')}".rstrip(), "quiet"
        case _:
            return _say_outside(entry)


def _say_tool(entry: Entry) -> tuple[str, str]:
    thing = f"{entry.text('tool', 'kind') or 'tool'} {entry.text('tool', 'name')} of {entry.text('dst', 'server')}"
    match entry.typ:
        case "tool.screened":
            return f"screen {entry.text('dec', 'rule')} found something in {thing}", "bad"
        case "tool.pinned":
            return f"an operator accepted {thing}", "change"
        case _:
            word = "changed its description" if entry.text("tool", "previous") else "was described"
            stopped = {"hold": ", and is held", "deny": ", and is refused"}.get(entry.text("dec", "effect"), "")
            return f"{thing} {word}{stopped}", "change"


def _say_outside(entry: Entry) -> tuple[str, str]:
    """What operators and witnesses do to the log."""
    match entry.typ:
        case "payload.erased":
            erased = entry.member("erased")
            count = len(erased) if isinstance(erased, list) else 0
            basis = entry.text("basis")
            return f"{count} masked contents erased, by {basis}: {entry.text('reason')}", "change"
        case "evidence.exported":
            first, size = entry.number("export", "first"), entry.number("export", "size")
            what = "" if first is None or size is None else f", Records {first} to {size - 1}"
            return f"evidence package built{what}", "change"
        case "witness.down":
            return f"{_witness(entry)} is overdue: {entry.text('reason')}", "bad"
        case "witness.up":
            return f"{_witness(entry)} vouches again", "good"
        case _:
            return "", "quiet"


def _witness(entry: Entry) -> str:
    return f"{entry.text('witness', 'kind')} {entry.text('witness', 'name')}"


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
