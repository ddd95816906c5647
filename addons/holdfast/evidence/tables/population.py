"""The population: every Record of the range as one row."""

from typing import Final

from holdfast.evidence.files.entry import Entry
from holdfast.evidence.files.times import time_text
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


# The members of a Record that are columns as they are, in the order of POPULATION from "iss" to "effect".
_PLAIN: Final = (
    ("who", "iss"),
    ("who", "sub"),
    ("who", "name"),
    ("who", "client"),
    ("src", "ip"),
    ("dst", "server"),
    ("rpc", "dir"),
    ("rpc", "kind"),
    ("rpc", "method"),
    ("mcp", "name"),
    ("dec", "effect"),
)


def population_row(entry: Entry) -> tuple[object, ...]:
    """The row of one Record, in the order of :data:`POPULATION`."""
    text, body = entry.text, entry.body
    plain: list[str] = []
    for outer, inner in _PLAIN:
        member = body.get(outer)
        value = member.get(inner) if member.__class__ is dict else None
        plain.append(value if value.__class__ is str else text(outer, inner) if value is not None else "")
    return (
        entry.index,
        time_text(entry.at),
        entry.typ,
        text("call"),
        " ".join(map(str, entry.refs())),
        *plain,
        text("dec", "rule") or text("rule"),
        text("dec", "reason") or text("reason"),
        text("appr", "id"),
        text("appr", "by"),
        text("decision"),
        text("outcome") or text("cause"),
        text("out", "ok"),
        text("out", "code"),
        entry.number("out", "ms"),
        counts_text(entry.counts("mask", "counts")),
        text("rules"),
        next((commitment for name in PAYLOAD_MEMBERS if name in body and (commitment := text(name, "c"))), ""),
    )


def counts_text(counts: dict[str, int]) -> str:
    """``CREDIT_CARD 2, US_SSN 1``."""
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
