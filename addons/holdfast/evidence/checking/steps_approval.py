"""Step V11: every Approval fits the Call that went out with it, and nothing held went out without one.

For each decision: its Record, its signed statement and the Hold say the same; the signature is by a key that the rules
in force enrol, or, for an approver known by a token, by the gateway's own; the approver is named by the rule and is not
behind the Call. For each Call that went out: enough such approvals before it, about exactly its digest, in time, once.
"""

import bisect
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

CLOCK_STEP_MAX: Final = dt.timedelta(seconds=5)  # more than a time server corrects at once
# The gateway looks at the clock, then writes; a ledger that cannot write for longer gives up.
WRITTEN_LATER_MAX: Final = dt.timedelta(seconds=5)


@dataclasses.dataclass(slots=True)
class _Hold:
    opened: Entry
    terms: Terms
    enrolment: Enrolment
    view_digest_hex: str  # of what the approver was shown; empty where that was erased
    yeses: list[tuple[Entry, Statement | None]] = dataclasses.field(default_factory=list)
    call: Entry | None = None
    no: Entry | None = None  # the Record that ended it without a grant


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
        self._held: Final[set[str]] = set()  # ids of Calls that were held
        self._hidden: Final[list[int]] = []  # withheld Records that no missing approval was put down to yet

    def see(self, entry: Entry, payloads: Payloads) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        hold_id = entry.text("appr", "id")
        match entry.typ:
            case "hold.opened":
                if hold_id in self._holds:
                    raise EvidenceError(f"record {entry.index}: opens hold {hold_id} a second time")
                self._holds[hold_id] = _opened(self._case, entry, payloads.get("view"))
                self._held.add(entry.text("call"))
            case "approval":
                self._decide(entry, self._known(entry), payloads.get("statement"))
            case "call" if hold_id:
                self._use(entry, self._known(entry))
                self._tally.calls += 1
            case "call" if entry.text("dec", "effect") == "allow" and entry.text("call") in self._held:
                raise EvidenceError(f"record {entry.index}: this call was held, and went out without an approval")
            case "hold.closed":
                self._close(entry)
            case _:
                pass

    def hide(self, index: int) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        self._hidden.append(index)
        self._tally.hidden += 1

    def conclude(self) -> str:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        self._tally.unused = sum(hold.call is None for hold in self._spent)
        return _sentence(len(self._holds), self._tally)

    def _known(self, entry: Entry) -> _Hold | None:
        hold = self._holds.get(entry.text("appr", "id"))
        if hold is not None:
            return hold
        if not self._case.scope.start.size and not self._tally.hidden:
            raise EvidenceError(f"record {entry.index}: names hold {entry.text('appr', 'id')}, which was never opened")
        self._tally.unknown += 1
        return None

    def _close(self, entry: Entry) -> None:
        known = self._known(entry)
        if known is None:
            return
        match entry.text("outcome"):
            case "used":
                # The grant is spent before the call is recorded, so that a crash in between can only lose a grant.
                self._spent.append(known)
            case "denied" | "expired" | "abandoned":
                known.no = entry
            case _:
                pass  # the wait ended, and the Hold goes on

    def _decide(self, entry: Entry, hold: _Hold | None, payload: Opened | Erased | None) -> None:
        if hold is None:
            return
        if entry.text("appr", "request") != hold.opened.text("appr", "request"):
            hold_id = entry.text("appr", "id")
            raise EvidenceError(f"record {entry.index}: decides about another request than hold {hold_id}")
        if entry.at > _time(hold.opened, "expires") + WRITTEN_LATER_MAX:
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
        if hold.no is not None:
            raise EvidenceError(f"record {entry.index}: went out after record {hold.no.index} had ended its hold")
        missing = hold.terms.approvals_needed - len(hold.yeses)
        is_unsure = missing > 0 and self._may_be_hidden(hold, missing)
        self._tally.unsure += is_unsure
        _check_use(entry, hold, is_unsure=is_unsure)

    def _may_be_hidden(self, hold: _Hold, missing: int) -> bool:
        """Whether so many approvals of ``hold`` can be among the withheld Records; one Record is one approval."""
        at = bisect.bisect(self._hidden, hold.opened.index)
        if len(self._hidden) - at < missing:
            return False
        del self._hidden[at : at + missing]
        return True


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
    if not entry.text("view", "c"):
        raise EvidenceError(f"record {entry.index}: holds a call and commits to no view of it")
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
    if not entry.text("statement", "c"):
        raise EvidenceError(f"record {entry.index}: decides without a signed statement")
    if entry.text("assurance") == "token" and not _is_owner(entry, person):
        raise EvidenceError(f"record {entry.index}: the token's owner is not the approver that decides")
    if not _may_decide(entry, hold.terms, person):
        raise EvidenceError(f"record {entry.index}: rule {hold.terms.id} does not let this approver decide")


def _is_owner(entry: Entry, person: Person | None) -> bool:
    """Whether the identity in a token is that of the approver by whose id the Record goes."""
    subject = f"{entry.text('approver', 'iss')}|{entry.text('approver', 'sub')}"
    return subject == (f"{person.iss}|{person.sub}" if person and person.sub else entry.text("appr", "by"))


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
    # A wall clock may be set back a little between the three; V7 counts every step that Records show.
    earliest_at = min(opened.at, entry.at) - CLOCK_STEP_MAX
    is_between = earliest_at <= statement.not_before_at <= entry.at + CLOCK_STEP_MAX
    if not is_between or entry.at > statement.expires_at:
        raise EvidenceError(f"record {entry.index}: the statement was not made between the hold and this Record")


def _check_use(entry: Entry, hold: _Hold, *, is_unsure: bool) -> None:
    if entry.text("appr", "request") != hold.opened.text("appr", "request"):
        raise EvidenceError(f"record {entry.index}: goes out with an approval for another request")
    if len(hold.yeses) < hold.terms.approvals_needed and not is_unsure:
        raise EvidenceError(
            f"record {entry.index}: went out with {len(hold.yeses)} approvals of {hold.terms.approvals_needed}"
        )
    for member in ("iss", "sub"):
        if entry.text("who", member) != hold.opened.text("who", member):
            raise EvidenceError(f"record {entry.index}: goes out for another caller than the one who was held")
    for path in (("dst", "server"), ("rpc", "method"), ("mcp", "name")):
        if entry.text(*path) != hold.opened.text(*path):
            raise EvidenceError(f"record {entry.index}: another call goes out than the one that was held")
    if is_unsure:
        return
    granted_at = max(statement.not_before_at if statement else yes.at for yes, statement in hold.yeses)
    if entry.at > granted_at + dt.timedelta(seconds=hold.terms.use_s) + WRITTEN_LATER_MAX:
        raise EvidenceError(f"record {entry.index}: went out after the approval had to be used")


def _time(entry: Entry, member: str) -> dt.datetime:
    try:
        return utc_parse(entry.text(member))
    except ValueError:
        raise EvidenceError(f"record {entry.index}: {member} is no time") from None
