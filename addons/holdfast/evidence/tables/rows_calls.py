"""Rows of the reports about Calls: population, identities, decisions, masking, approvals, exceptions."""

import heapq
import operator
from collections.abc import Iterator, Sequence
from typing import Final

from holdfast.evidence.files.times import time_text
from holdfast.evidence.story.facts import CallFact, HoldFact, Party, RefusedFact
from holdfast.evidence.tables.material import Material
from holdfast.evidence.tables.population import counts_text

type Row = Sequence[object]

IDENTITY: Final = (
    "iss", "sub", "name", "auth", "client", "calls", "of_them_approved", "told_to_repeat", "denied", "refused",
    "first_index", "last_index", "first_at", "last_at",
)  # fmt: skip
DECISIONS: Final = (
    "index", "at", "type", "call", "iss", "sub", "name", "source_ip", "server", "direction", "kind", "method", "item",
    "way", "rule", "cause", "reason", "hold", "ended", "reply_index", "code", "ms", "findings_in_call",
    "findings_in_reply", "size_bytes", "definition_digest", "rules_digest",
)  # fmt: skip
MASKING: Final = (
    "index", "at", "type", "entity", "count", "iss", "sub", "name", "server", "direction", "what", "engine",
    "engine_version", "config_digest",
)  # fmt: skip
APPROVALS: Final = (
    "index", "opened_at", "hold", "iss", "sub", "name", "server", "what", "rule", "request_digest", "expires_at",
    "decisions", "decided_at", "deciders", "names", "reasons", "assurance", "approval_indices", "waited_s", "outcome",
    "closed_index", "call_index", "view", "rules_digest",
)  # fmt: skip
EXCEPTIONS: Final = ("index", "at", "kind", "iss", "sub", "name", "what", "note")


def population(material: Material) -> Iterator[Row]:
    """Every Record."""
    return material.story.population()


def identity(material: Material) -> Iterator[Row]:
    """One row for each identity."""
    for line in material.story.identities():
        party = line.party
        yield (
            party.iss, party.sub, party.name, party.auth, party.client, line.calls, line.approved, line.pending,
            line.denied, line.refused, line.first_index, line.last_index, time_text(line.first_at),
            time_text(line.last_at),
        )  # fmt: skip


def decisions(material: Material) -> Iterator[Row]:
    """One row for each Call, and one for everything refused."""
    facts: Iterator[CallFact | RefusedFact] = heapq.merge(
        material.story.calls(), material.story.refused(), key=operator.attrgetter("index")
    )
    return (_call_row(fact) if isinstance(fact, CallFact) else _refused_row(fact) for fact in facts)


def _call_row(fact: CallFact) -> tuple[object, ...]:
    reply = fact.reply
    return (
        fact.index, time_text(fact.at), "call", fact.call_id, *_party(fact.party), fact.peer, fact.server,
        fact.direction, fact.kind, fact.method, fact.name, fact.way, fact.rule, "", fact.reason, fact.hold_id,
        fact.ending, reply.index if reply else None, reply.code if reply else "", reply.ms if reply else None,
        counts_text(fact.findings), counts_text(reply.findings) if reply else "", None, fact.definition, fact.rules,
    )  # fmt: skip


def _refused_row(fact: RefusedFact) -> tuple[object, ...]:
    return (
        fact.index, time_text(fact.at), "refused", fact.call_id, *_party(fact.party), fact.peer, fact.server, "", "",
        fact.what, "", fact.way, fact.rule, fact.cause, fact.reason, fact.hold_id, "refused", None, "", None, "", "",
        fact.size_bytes, "", "",
    )  # fmt: skip


def masking(material: Material) -> Iterator[Row]:
    """One row for each kind of finding in a Record."""
    for fact in material.story.masked():
        before = (fact.index, time_text(fact.at), fact.typ)
        after = (
            *_party(fact.party), fact.server, fact.direction, fact.what, fact.engine, fact.version, fact.config,
        )  # fmt: skip
        for entity, count in sorted(fact.findings.items()):
            yield (*before, entity, count, *after)


def approvals(material: Material) -> Iterator[Row]:
    """One row for each Hold."""
    return map(_hold_row, material.story.holds())


def _hold_row(fact: HoldFact) -> tuple[object, ...]:
    given = fact.approvals
    return (
        fact.index, time_text(fact.at), fact.hold_id, *_party(fact.party), fact.server, fact.what, fact.rule,
        fact.request, fact.expires, "; ".join(item.decision for item in given),
        "; ".join(time_text(item.at) for item in given), "; ".join(item.by for item in given),
        "; ".join(item.approver.name for item in given), "; ".join(item.reason for item in given),
        "; ".join(item.assurance for item in given), "; ".join(str(item.index) for item in given),
        "" if fact.waited_s is None else f"{fact.waited_s:.3f}", fact.ending, fact.closed_index, fact.call_index,
        fact.view, fact.rules,
    )  # fmt: skip


def exceptions(material: Material) -> Iterator[Row]:
    """One row for each exception."""
    for fact in material.story.exceptions():
        yield fact.index, time_text(fact.at), fact.kind, *_party(fact.party), fact.what, fact.note


def _party(party: Party | None) -> tuple[str, str, str]:
    return (party.iss, party.sub, party.name) if party else ("", "", "")
