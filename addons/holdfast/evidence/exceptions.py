"""Exceptions: what a reviewer should look at."""

from collections.abc import Iterable

from holdfast.evidence.facts import CallFact, Exceptional, HoldFact, RefusedFact


def exceptions_of(
    calls: Iterable[CallFact], refused: Iterable[RefusedFact], holds: Iterable[HoldFact]
) -> tuple[Exceptional, ...]:
    """Every no, failure, expiry and loss, in the order of the ledger."""
    found = [*_call_exceptions(calls), *_refused_exceptions(refused), *_hold_exceptions(holds)]
    return tuple(sorted(found, key=lambda fact: (fact.index, fact.kind)))


def _call_exceptions(calls: Iterable[CallFact]) -> Iterable[Exceptional]:
    for fact in calls:
        match fact.ending:
            case "denied":
                yield Exceptional(fact.index, fact.at, "denied", fact.party, fact.what, fact.reason)
            case "error" | "lost" if fact.reply is not None:
                kind = "call lost" if fact.ending == "lost" else "failed"
                note = fact.reply.reason or f"code {fact.reply.code}"
                yield Exceptional(fact.reply.index, fact.reply.at, kind, fact.party, fact.what, note)
            case "open":
                yield Exceptional(fact.index, fact.at, "unanswered", fact.party, fact.what, "no reply is recorded")
            case _:
                pass


def _refused_exceptions(refused: Iterable[RefusedFact]) -> Iterable[Exceptional]:
    for fact in refused:
        if fact.way == "pending":
            continue  # the Hold itself tells how it ended
        kind = "decision refused" if fact.is_decision else fact.way
        what = fact.what or (f"hold {fact.hold_id}" if fact.hold_id else "")
        yield Exceptional(fact.index, fact.at, kind, fact.party, what, f"{fact.cause.replace('_', ' ')}: {fact.reason}")


def _hold_exceptions(holds: Iterable[HoldFact]) -> Iterable[Exceptional]:
    for fact in holds:
        if (
            fact.outcome not in {"used", "waiting", "pending", "interrupted"}
            and fact.closed_index is not None
            and fact.closed_at is not None
        ):
            note = f"hold {fact.hold_id}"
            yield Exceptional(fact.closed_index, fact.closed_at, f"hold {fact.outcome}", fact.party, fact.what, note)
