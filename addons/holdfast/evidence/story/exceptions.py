"""Exceptions: what a reviewer should look at. One function for each kind of fact; None where it is no exception."""

from holdfast.evidence.story.facts import CallFact, Exceptional, HoldFact, Party, RefusedFact, ReplyFact

_IN_ORDER = frozenset({"used", "waiting", "pending", "interrupted", "not shown"})


def of_call(fact: CallFact) -> Exceptional | None:
    """A Call that was denied, or has no Reply."""
    match fact.ending:
        case "denied":
            return Exceptional(fact.index, fact.at, "denied", fact.party, fact.what, fact.reason)
        case "open":
            return Exceptional(fact.index, fact.at, "unanswered", fact.party, fact.what, "no reply is recorded")
        case _:
            return None


def of_reply(reply: ReplyFact, party: Party | None, what: str) -> Exceptional | None:
    """A Reply that is an error, or will never come."""
    if reply.outcome == "ok":
        return None
    kind = "call lost" if reply.outcome == "lost" else "failed"
    note = reply.reason or f"code {reply.code}"
    return Exceptional(reply.index, reply.at, kind, party, what, note)


def of_refused(fact: RefusedFact) -> Exceptional | None:
    """Everything refused but the word to come back: there the Hold itself tells how it ended."""
    if fact.way == "pending":
        return None
    kind = "decision refused" if fact.is_decision else fact.way
    what = fact.what or (f"hold {fact.hold_id}" if fact.hold_id else "")
    return Exceptional(fact.index, fact.at, kind, fact.party, what, f"{fact.cause.replace('_', ' ')}: {fact.reason}")


def of_hold(fact: HoldFact) -> Exceptional | None:
    """A Hold that ended in a no, or in nothing."""
    if fact.outcome in _IN_ORDER or fact.closed_index is None or fact.closed_at is None:
        return None
    kind, note = f"hold {fact.outcome}", f"hold {fact.hold_id}"
    return Exceptional(fact.closed_index, fact.closed_at, kind, fact.party, fact.what, note)
