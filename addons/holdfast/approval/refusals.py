"""What a held call is told when it does not go out. No reason of an approver's or of ours quotes content."""

from holdfast.approval.holds import Hold
from holdfast.clock import utc_text
from holdfast.errors import Cause, Refused

RULES_CHANGED = "the rules changed"


def pending(hold: Hold) -> Refused:
    """The call's wait is over, the Hold is not."""
    return Refused(
        Cause.HOLD_PENDING,
        f"approval is pending, ticket {hold.id}",
        rule=hold.rule,
        ticket=hold.id,
        next_step=f"Repeat the same call; once it is approved it goes out. It can be decided until {_minute(hold)}.",
    )


def gone(hold: Hold, why: str) -> Refused:
    """The client is gone, or wants the call no more; nobody reads this, Records do."""
    return Refused(Cause.HOLD_PENDING, f"{why} while the call was held", rule=hold.rule, ticket=hold.id)


def denied(hold: Hold) -> Refused:
    """A person said no."""
    said = f": {hold.note}" if hold.note else ""
    return Refused(
        Cause.DENIED_BY_APPROVER,
        f"an approver denied the call{said}",
        rule=hold.rule,
        ticket=hold.id,
        next_step=f"Do something else. The same call is not asked for again before {_minute(hold)}.",
    )


def expired(hold: Hold) -> Refused:
    """Nobody decided in time, or what was decided does not stand any more."""
    return Refused(
        Cause.HOLD_EXPIRED,
        f"the hold has ended without a usable approval: {hold.note}",
        rule=hold.rule,
        ticket=hold.id,
        next_step="Repeat the call to ask again.",
    )


def used(hold: Hold) -> Refused:
    """The same call was repeated, and the repeat used the approval. To ask again by itself could do it twice."""
    return Refused(
        Cause.HOLD_EXPIRED,
        "the same call came again, and that one used the approval",
        rule=hold.rule,
        ticket=hold.id,
        next_step="Look at its result. Repeat the call only if it shall be done once more.",
    )


def rules_changed(rule: str) -> Refused:
    """The call was judged by rules that are no longer in force."""
    return Refused(
        Cause.HOLD_EXPIRED,
        f"{RULES_CHANGED} while the call was judged",
        rule=rule,
        next_step="Repeat the call; it is judged by the new rules.",
    )


def stopping(rule: str) -> Refused:
    """The gateway is about to stop."""
    return Refused(Cause.UNAVAILABLE, "the gateway is stopping", rule=rule, next_step="Repeat the call later.")


def _minute(hold: Hold) -> str:
    return utc_text(hold.expires_at)[:16].replace("T", " ") + " UTC"
