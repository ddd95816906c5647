"""The CSV files of a package, each a pure function of its Records."""

from collections.abc import Callable, Iterable
from typing import Final

from holdfast.clock import utc_text
from holdfast.evidence.entry import Entry
from holdfast.evidence.facts import CallFact, HoldFact, Party
from holdfast.evidence.identities import identities
from holdfast.evidence.plain import csv_bytes
from holdfast.evidence.story import Story
from holdfast.ledger.fields import PAYLOAD_MEMBERS

POPULATION: Final = (
    "index",
    "at",
    "type",
    "call",
    "refers_to",
    "iss",
    "sub",
    "name",
    "client",
    "source_ip",
    "server",
    "direction",
    "kind",
    "method",
    "item",
    "effect",
    "rule",
    "reason",
    "hold",
    "approver",
    "decision",
    "outcome",
    "ok",
    "code",
    "ms",
    "findings",
    "rules_digest",
    "payload",
)


def population(entries: Iterable[Entry]) -> bytes:
    """`population.csv`: every Record of the range, one line each, in the order of the ledger."""
    return csv_bytes(POPULATION, (_population_row(entry) for entry in entries))


def _population_row(entry: Entry) -> tuple[object, ...]:
    return (
        entry.index,
        utc_text(entry.at),
        entry.typ,
        entry.text("call"),
        " ".join(map(str, entry.refs())),
        entry.text("who", "iss"),
        entry.text("who", "sub"),
        entry.text("who", "name"),
        entry.text("who", "client"),
        entry.text("src", "ip"),
        entry.text("dst", "server"),
        entry.text("rpc", "dir"),
        entry.text("rpc", "kind"),
        entry.text("rpc", "method"),
        entry.text("mcp", "name"),
        entry.text("dec", "effect"),
        entry.text("dec", "rule") or entry.text("rule"),
        entry.text("dec", "reason") or entry.text("reason"),
        entry.text("appr", "id"),
        entry.text("appr", "by"),
        entry.text("decision"),
        entry.text("outcome") or entry.text("cause"),
        entry.text("out", "ok"),
        entry.text("out", "code"),
        entry.number("out", "ms"),
        counts_text(entry.counts("mask", "counts")),
        entry.text("rules"),
        next((entry.text(name, "c") for name in PAYLOAD_MEMBERS if entry.text(name, "c")), ""),
    )


def counts_text(counts: dict[str, int]) -> str:
    """``CREDIT_CARD 2, US_SSN 1``."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _party(party: Party | None) -> tuple[str, str, str]:
    return (party.iss, party.sub, party.name) if party else ("", "", "")


def _calls(story: Story) -> bytes:
    header = (
        "index", "at", "iss", "sub", "name", "source_ip", "server", "direction", "method", "item", "way", "rule",
        "reason", "hold", "ended", "reply_index", "code", "ms", "findings_in_call", "findings_in_reply",
    )  # fmt: skip
    return csv_bytes(header, (_call_row(fact) for fact in story.calls))


def _call_row(fact: CallFact) -> tuple[object, ...]:
    reply = fact.reply
    return (
        fact.index, utc_text(fact.at), *_party(fact.party), fact.peer, fact.server, fact.direction, fact.method,
        fact.name, fact.way, fact.rule, fact.reason, fact.hold_id, fact.ending, reply.index if reply else None,
        reply.code if reply else "", reply.ms if reply else None, counts_text(fact.findings),
        counts_text(reply.findings) if reply else "",
    )  # fmt: skip


def _holds(story: Story) -> bytes:
    header = (
        "hold", "opened_index", "opened_at", "iss", "sub", "name", "server", "what", "rule", "request_digest",
        "expires_at", "decisions", "deciders", "reasons", "assurance", "waited_s", "outcome", "closed_index",
        "call_index",
    )  # fmt: skip
    return csv_bytes(header, (_hold_row(fact) for fact in story.holds))


def _hold_row(fact: HoldFact) -> tuple[object, ...]:
    return (
        fact.hold_id, fact.index, utc_text(fact.at), *_party(fact.party), fact.server, fact.what, fact.rule,
        fact.request, fact.expires, "; ".join(item.decision for item in fact.approvals),
        "; ".join(item.by for item in fact.approvals), "; ".join(item.reason for item in fact.approvals),
        "; ".join(item.assurance for item in fact.approvals),
        "" if fact.waited_s is None else f"{fact.waited_s:.3f}", fact.outcome, fact.closed_index, fact.call_index,
    )  # fmt: skip


def _exceptions(story: Story) -> bytes:
    rows = ((fact.index, utc_text(fact.at), fact.kind, *_party(fact.party), fact.what, fact.note)
            for fact in story.exceptions())  # fmt: skip
    return csv_bytes(("index", "at", "kind", "iss", "sub", "name", "what", "note"), rows)


def _gaps(story: Story) -> bytes:
    rows = ((gap.kind, gap.from_index, gap.to_index, utc_text(gap.from_at), utc_text(gap.to_at), f"{gap.seconds:.3f}",
             gap.note) for gap in story.gaps)  # fmt: skip
    return csv_bytes(("kind", "from_index", "to_index", "from_at", "to_at", "seconds", "note"), rows)


def _identities(story: Story) -> bytes:
    rows = ((*_party(line.party), line.party.auth, line.calls, line.approved, line.pending, line.denied, line.refused,
             utc_text(line.first_at), utc_text(line.last_at)) for line in identities(story))  # fmt: skip
    header = (
        "iss",
        "sub",
        "name",
        "auth",
        "calls",
        "of_them_approved",
        "told_to_repeat",
        "denied",
        "refused",
        "first_at",
        "last_at",
    )
    return csv_bytes(header, rows)


def _rules(story: Story) -> bytes:
    rows = ((fact.index, utc_text(fact.at), fact.digest_hex, fact.previous, name, digest)
            for fact in story.rules for name, digest in sorted(fact.files.items()))  # fmt: skip
    return csv_bytes(("index", "at", "rules_digest", "previous_digest", "file", "sha256"), rows)


REPORTS: Final[dict[str, Callable[[Story], bytes]]] = {
    "reports/calls.csv": _calls,
    "reports/exceptions.csv": _exceptions,
    "reports/gaps.csv": _gaps,
    "reports/holds.csv": _holds,
    "reports/identities.csv": _identities,
    "reports/rules.csv": _rules,
}
