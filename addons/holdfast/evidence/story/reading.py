"""Records to facts, one function for each type of Record."""

from typing import Final

from holdfast.evidence.files.entry import Entry
from holdfast.evidence.story.facts import (
    AccessFact,
    ApprovalFact,
    CallFact,
    HoldFact,
    MaskFact,
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
        definition=entry.text("mcp", "definition"),
        rules=entry.text("rules"),
    )


def awaits_reply(entry: Entry) -> bool:
    """Whether a `call` Record is of a Call that went out and is owed a Reply."""
    return _way(entry) != "denied" and entry.text("rpc", "kind") not in {"notification", "reply"}


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


def engine_text(entry: Entry) -> str:
    """With what masking finds since the `rules.loaded` Record ``entry``; empty where it does not say."""
    versions = entry.member("engine", "versions")
    packages = versions if isinstance(versions, dict) else {}
    said = [f"{name} {version}" for name, version in sorted(packages.items()) if isinstance(version, str)]
    name, version = entry.text("engine", "model", "name"), entry.text("engine", "model", "version")
    if name:
        said.append(f"model {name} {version}")
    return f"{entry.text('engine', 'scan')}: {', '.join(said)}" if said else ""


def mask_fact(entry: Entry, findings: dict[str, int]) -> MaskFact:
    """The fact of a Record in which masking found something."""
    return MaskFact(
        index=entry.index,
        at=entry.at,
        typ=entry.typ,
        party=party_of(entry),
        server=entry.text("dst", "server"),
        direction=entry.text("rpc", "dir"),
        what=_what(entry),
        engine=entry.text("mask", "engine"),
        version=entry.text("mask", "version"),
        config=entry.text("mask", "config"),
        findings=findings,
    )


def operator_text(entry: Entry) -> str:
    """Who asked, as the operating system says: ``uid 1000 (maya)``; empty where nobody is named."""
    uid, name = entry.text("operator", "uid"), entry.text("operator", "name")
    return f"uid {uid} ({name})" if name else f"uid {uid}" if uid else ""


def access_facts(entry: Entry) -> list[AccessFact]:
    """The facts of a Record about the log itself; one for each payload that was erased."""
    found = _access(entry)
    if found is None:
        return []
    kind, items, basis = found
    by, reason = operator_text(entry), entry.text("reason")
    return [AccessFact(entry.index, entry.at, kind, item, by, basis, reason) for item in items]


def _access(entry: Entry) -> tuple[str, tuple[str, ...], str] | None:
    match entry.typ:
        case "evidence.exported":
            return "export", (_export_text(entry),), ""
        case "payload.erased":
            return "erasure", entry.texts("erased"), entry.text("basis")
        case "ledger.rotated":
            return "key rotation", (f"{entry.text('keys', 'old')} hands over to {entry.text('keys', 'new')}",), ""
        case "ledger.genesis" if entry.text("abandoned", "log"):
            return "recovery", (_abandoned_text(entry),), ""
        case "ledger.genesis":
            return "beginning", (entry.text("log"),), ""
        case "ledger.start":
            return "start", (f"gateway {entry.text('gw', 'version')}, {_after(entry)}",), ""
        case "ledger.stop":
            return "stop", ("in order",), ""
        case _:
            return None


def _after(entry: Entry) -> str:
    if not entry.number("prev", "size"):
        return "for the first time"
    return "after a stop" if entry.flag("clean") is not False else "after a stop that was not recorded"


def _export_text(entry: Entry) -> str:
    first, size = entry.number("export", "first") or 0, entry.number("export", "size") or 0
    withheld = entry.number("export", "withheld")
    without = f", {withheld} of them withheld" if withheld else ""
    return f"Records {first} to {size - 1}{without}, package SHA-256 {entry.text('export', 'digest')}"


def _abandoned_text(entry: Entry) -> str:
    return (
        f"goes on after {entry.text('abandoned', 'log')}, whose last checkpoint has {entry.text('abandoned', 'size')} "
        f"Records and root {entry.text('abandoned', 'root')}"
    )
