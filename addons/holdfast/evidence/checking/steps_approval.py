"""Step V11: every Approval fits the Call that went out with it, and nothing held went out without one.

For each decision: its Record, its signed statement and the Hold say the same; the signature is by a key that the rules
in force enrol, or, for an approver known by a token, by the gateway's own; the approver is named by the rule and is not
behind the Call. For each Call that went out: enough such approvals before it, about exactly its digest, in time, once.
"""

import dataclasses
import datetime as dt
import hashlib
from typing import Final

from holdfast.approval.statement import Statement, verify_statement
from holdfast.clock import utc_parse
from holdfast.errors import ApprovalError, EvidenceError
from holdfast.evidence.checking.case import Case
from holdfast.evidence.checking.steps_records import not_seen
from holdfast.evidence.checking.walk import Payloads
from holdfast.evidence.files.enrolment import Enrolment, Person, Terms
from holdfast.evidence.files.entry import Entry
from holdfast.evidence.files.payloads import Erased, Opened
from holdfast.ledger.note import Verify


@dataclasses.dataclass(slots=True)
class _Hold:
    opened: Entry
    terms: Terms
    enrolment: Enrolment
    view_digest_hex: str  # of what the approver was shown; empty where that was erased
    yeses: list[tuple[Entry, Statement | None]] = dataclasses.field(default_factory=list)
    call: Entry | None = None


@dataclasses.dataclass(slots=True)
class _Tally:
    signed: int = 0
    by_gateway: int = 0
    erased: int = 0
    unknown: int = 0
    unsure: int = 0
    calls: int = 0
    unused: int = 0
    hidden: int = 0


class Approvals:
    """V11: see the module's docstring."""

    def __init__(self, case: Case) -> None:
        self._case: Final = case
        self._holds: Final[dict[str, _Hold]] = {}
        self._spent: Final[list[_Hold]] = []
        self._tally: Final = _Tally()
        self._last_hidden = -1

    def see(self, entry: Entry, payloads: Payloads) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        hold_id = entry.text("appr", "id")
        match entry.typ:
            case "hold.opened":
                if hold_id in self._holds:
                    raise EvidenceError(f"record {entry.index}: opens hold {hold_id} a second time")
                self._holds[hold_id] = _opened(self._case, entry, payloads.get("view"))
            case "approval":
                self._decide(entry, self._known(entry), payloads.get("statement"))
            case "call" if hold_id:
                self._use(entry, self._known(entry))
                self._tally.calls += 1
            case "hold.closed" if entry.text("outcome") == "used":
                # The grant is spent before the call is recorded, so that a crash in between can only lose a grant.
                known = self._known(entry)
                self._spent.extend([known] if known is not None else [])
            case _:
                pass

    def hide(self, index: int) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        self._last_hidden = index
        self._tally.hidden += 1

    def conclude(self) -> str:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        self._tally.unused = sum(hold.call is None for hold in self._spent)
        return _sentence(len(self._holds), self._tally)

    def _known(self, entry: Entry) -> _Hold | None:
        hold = self._holds.get(entry.text("appr", "id"))
        if hold is not None:
            return hold
        if not self._case.scope.start.size and self._last_hidden < 0:
            raise EvidenceError(f"record {entry.index}: names hold {entry.text('appr', 'id')}, which was never opened")
        self._tally.unknown += 1
        return None

    def _decide(self, entry: Entry, hold: _Hold | None, payload: Opened | Erased | None) -> None:
        if hold is None:
            return
        if entry.text("appr", "request") != hold.opened.text("appr", "request"):
            hold_id = entry.text("appr", "id")
            raise EvidenceError(f"record {entry.index}: decides about another request than hold {hold_id}")
        if entry.at > _time(hold.opened, "expires"):
            raise EvidenceError(f"record {entry.index}: decided after the hold had expired")
        _check_approver(entry, hold)
        statement = None
        if isinstance(payload, Opened):
            statement = _verified(self._case, entry, hold, payload.data)
            _check_statement(entry, hold, statement)
            self._tally.signed += statement.assurance == "signature"
            self._tally.by_gateway += statement.assurance == "token"
        else:
            self._tally.erased += 1
        if entry.text("decision") == "approve":
            if any(other.text("appr", "by") == entry.text("appr", "by") for other, _ in hold.yeses):
                raise EvidenceError(f"record {entry.index}: the same approver approved twice")
            hold.yeses.append((entry, statement))

    def _use(self, entry: Entry, hold: _Hold | None) -> None:
        if hold is None:
            return
        if hold.call is not None:
            raise EvidenceError(f"record {entry.index}: the approval was used before, at record {hold.call.index}")
        hold.call = entry
        if len(hold.yeses) < hold.terms.approvals_needed and self._last_hidden > hold.opened.index:
            self._tally.unsure += 1  # the rest of them may be withheld
            return
        _check_use(entry, hold)


def _sentence(holds_count: int, tally: _Tally) -> str:
    parts = [
        f"{holds_count} holds, {tally.calls} calls went out after approval",
        f"{tally.signed} decisions signed by approvers",
        f"{tally.by_gateway} signed by the gateway for approvers known by a token",
    ]
    if tally.unused:
        parts.append(f"{tally.unused} approvals were spent on a call that did not go out or is withheld")
    if tally.erased:
        parts.append(f"{tally.erased} statements were erased and could not be checked")
    if tally.unknown:
        parts.append(
            f"{tally.unknown} Records belong to holds from before the range, or withheld ones, and were not checked"
        )
    if tally.unsure:
        parts.append(f"the approvals of {tally.unsure} calls may be among the withheld Records")
    return "; ".join(parts) + not_seen(tally.hidden)


def _opened(case: Case, entry: Entry, view: Opened | Erased | None) -> _Hold:
    enrolled = case.enrolments.get(entry.text("rules"))
    if enrolled is None:
        raise EvidenceError(f"record {entry.index}: the rules of this hold are not in the package")
    terms = enrolled.rule(entry.text("dec", "rule"))
    if terms is None:
        raise EvidenceError(f"record {entry.index}: rule {entry.text('dec', 'rule')} is not in the rules in force")
    shown = hashlib.sha256(view.data).hexdigest() if isinstance(view, Opened) else ""
    return _Hold(entry, terms, enrolled, shown)


def _check_approver(entry: Entry, hold: _Hold) -> None:
    person = hold.enrolment.person(entry.text("appr", "by"))
    behind = {(hold.opened.text("who", "iss"), hold.opened.text("who", "sub"))}
    behind |= {(iss, sub) for iss, _, sub in (item.partition("|") for item in hold.opened.texts("who", "act"))}
    names = {(entry.text("approver", "iss"), entry.text("approver", "sub"))}
    names |= {(person.iss, person.sub)} if person else set()
    if behind & (names - {("", "")}):
        raise EvidenceError(f"record {entry.index}: the approver stands behind the call")
    if not _may_decide(entry, hold.terms, person):
        raise EvidenceError(f"record {entry.index}: rule {hold.terms.id} does not let this approver decide")


def _may_decide(entry: Entry, terms: Terms, person: Person | None) -> bool:
    groups = set(person.groups) if person else set()
    # The gateway read a token's groups; for a key, only the enrolment counts.
    if entry.text("assurance") == "token":
        groups |= set(entry.texts("approver", "groups"))
    return entry.text("appr", "by") in terms.approver_ids or not groups.isdisjoint(terms.approver_groups)


def _verified(case: Case, entry: Entry, hold: _Hold, envelope: bytes) -> Statement:
    person = hold.enrolment.person(entry.text("appr", "by"))
    if entry.text("assurance") == "signature":
        publics = {person.public} if person else set()
    else:
        # The gateway's word for a token's owner is by the ledger's key, which a rotation may have changed meanwhile.
        publics = {case.ring.key_at(index + 1).public for index in (hold.opened.index, entry.index)}
    if not any(publics):
        raise EvidenceError(f"record {entry.index}: the rules in force enrol no key for this approver")
    statement = _signed(entry, envelope, publics, case.verify)
    if statement.assurance != entry.text("assurance"):
        raise EvidenceError(f"record {entry.index}: the statement is not one by {entry.text('assurance')}")
    return statement


def _signed(entry: Entry, envelope: bytes, publics: set[bytes], verify: Verify) -> Statement:
    problem = ""
    for public in sorted(publics):
        try:
            return verify_statement(envelope, public, verify)
        except ApprovalError as error:
            problem = problem or str(error)
    raise EvidenceError(f"record {entry.index}: the approval's statement: {problem}")


def _check_statement(entry: Entry, hold: _Hold, statement: Statement) -> None:
    opened = hold.opened
    view_digest_hex = hold.view_digest_hex or statement.view_digest_hex
    facts = {
        "hold": (statement.hold, entry.text("appr", "id")),
        "decision": (statement.decision, entry.text("decision")),
        "request": (statement.request_digest_hex, opened.text("appr", "request")),
        "view": (statement.view_digest_hex, view_digest_hex),
        "requester": (statement.requester, (opened.text("who", "iss"), opened.text("who", "sub"))),
        "rule": (statement.rule, hold.terms.id),
        "rules": (statement.rules_digest_hex, opened.text("rules")),
        "approver": (statement.approver, entry.text("appr", "by")),
        "reason": (statement.reason, entry.text("reason")),
    }
    for name, (signed, recorded) in facts.items():
        if signed != recorded:
            raise EvidenceError(f"record {entry.index}: the signed statement names another {name} than the Records")
    if not opened.at <= statement.not_before_at <= entry.at <= statement.expires_at:
        raise EvidenceError(f"record {entry.index}: the statement was not made between the hold and this Record")


def _check_use(entry: Entry, hold: _Hold) -> None:
    if entry.text("appr", "request") not in {"", hold.opened.text("appr", "request")}:
        raise EvidenceError(f"record {entry.index}: goes out with an approval for another request")
    if len(hold.yeses) < hold.terms.approvals_needed:
        raise EvidenceError(
            f"record {entry.index}: went out with {len(hold.yeses)} approvals of {hold.terms.approvals_needed}"
        )
    for member in ("iss", "sub"):
        if entry.text("who", member) != hold.opened.text("who", member):
            raise EvidenceError(f"record {entry.index}: goes out for another caller than the one who was held")
    granted_at = max(statement.not_before_at if statement else yes.at for yes, statement in hold.yeses)
    if entry.at > granted_at + dt.timedelta(seconds=hold.terms.use_s):
        raise EvidenceError(f"record {entry.index}: went out after the approval had to be used")


def _time(entry: Entry, member: str) -> dt.datetime:
    try:
        return utc_parse(entry.text(member))
    except ValueError:
        raise EvidenceError(f"record {entry.index}: {member} is no time") from None
