"""The population: every Record of the range as one row."""

from typing import Final

from holdfast.clock import utc_text
from holdfast.evidence.files.entry import Entry
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


def population_row(entry: Entry) -> tuple[object, ...]:
    """The row of one Record, in the order of :data:`POPULATION`."""
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
