"""Records to facts, one function for each type of Record."""

from typing import Final

from holdfast.evidence.entry import Entry
from holdfast.evidence.facts import (
    ApprovalFact,
    CallFact,
    HoldFact,
    Party,
    RefusedFact,
    ReplyFact,
    RulesFact,
    Way,
    party_of,
)

_NOBODY: Final = Party("", "", "", "", "", ())


def _way(entry: Entry) -> Way:
    if entry.text("dec", "effect") == "deny":
        return "denied"
    return "approved" if entry.text("appr", "id") else "allowed"


def _what(entry: Entry) -> str:
    return f"{entry.text('rpc', 'method')} {entry.text('mcp', 'name')}".strip()


def call_fact(entry: Entry) -> CallFact:
    """The fact of a `call` Record."""
    return CallFact(
        index=entry.index,
        at=entry.at,
        call_id=entry.text("call"),
        party=party_of(entry),
        peer=entry.text("src", "ip"),
        server=entry.text("dst", "server"),
        direction=entry.text("rpc", "dir"),
        kind=entry.text("rpc", "kind"),
        method=entry.text("rpc", "method"),
        name=entry.text("mcp", "name"),
        way=_way(entry),
        rule=entry.text("dec", "rule"),
        reason=entry.text("dec", "reason"),
        findings=entry.counts("mask", "counts"),
        payload=entry.text("req", "c"),
        hold_id=entry.text("appr", "id"),
    )


def reply_fact(entry: Entry) -> ReplyFact:
    """The fact of a `reply` or `call.lost` Record."""
    if entry.typ == "call.lost":
        return ReplyFact(entry.index, entry.at, "lost", "", None, {}, "", entry.text("reason"))
    return ReplyFact(
        index=entry.index,
        at=entry.at,
        outcome="error" if entry.flag("out", "ok") is False else "ok",
        code=entry.text("out", "code"),
        ms=entry.number("out", "ms"),
        findings=entry.counts("mask", "counts"),
        payload=entry.text("res", "c"),
        reason=entry.text("reason"),
    )


def refused_fact(entry: Entry) -> RefusedFact:
    """The fact of a `refused` Record."""
    return RefusedFact(
        index=entry.index,
        at=entry.at,
        call_id=entry.text("call"),
        party=party_of(entry),
        peer=entry.text("src", "ip"),
        server=entry.text("dst", "server"),
        what=_what(entry),
        cause=entry.text("cause"),
        rule=entry.text("rule") or entry.text("dec", "rule"),
        reason=entry.text("reason") or entry.text("dec", "reason"),
        size_bytes=entry.number("bytes"),
        hold_id=entry.text("appr", "id"),
    )


def hold_fact(entry: Entry) -> HoldFact:
    """The fact of a `hold.opened` Record."""
    return HoldFact(
        hold_id=entry.text("appr", "id"),
        index=entry.index,
        at=entry.at,
        party=party_of(entry),
        server=entry.text("dst", "server"),
        what=_what(entry),
        rule=entry.text("dec", "rule"),
        request=entry.text("appr", "request"),
        expires=entry.text("expires"),
        view=entry.text("view", "c"),
        rules=entry.text("rules"),
    )


def approval_fact(entry: Entry) -> ApprovalFact:
    """The fact of an `approval` Record."""
    return ApprovalFact(
        index=entry.index,
        at=entry.at,
        decision=entry.text("decision"),
        reason=entry.text("reason"),
        by=entry.text("appr", "by"),
        approver=party_of(entry, "approver") or _NOBODY,
        assurance=entry.text("assurance"),
        request=entry.text("appr", "request"),
        statement=entry.text("statement", "c"),
    )


def rules_fact(entry: Entry) -> RulesFact:
    """The fact of a `rules.loaded` Record."""
    files = entry.member("files")
    members = files if isinstance(files, dict) else {}
    return RulesFact(
        index=entry.index,
        at=entry.at,
        digest_hex=entry.text("rules"),
        files={name: digest for name, digest in members.items() if isinstance(digest, str)},
        previous=entry.text("previous"),
    )
