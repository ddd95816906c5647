"""Who decides: an approver, by an enrolled key or by a token, and whether this one may decide this Hold."""

import base64
import binascii
import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

from holdfast.approval.holds import Requester
from holdfast.errors import ApprovalError, Cause
from holdfast.identity.caller import Caller
from holdfast.jsontext import Json, JsonObject
from holdfast.policy.approvers import Approver
from holdfast.policy.holding import HoldRule

_GROUPS_MAX: Final = 20  # as many as a Record takes


class Rejected(ApprovalError):  # noqa: N818 -- the desk's Refused: what an approver is told
    """A decision that the desk does not accept, and why. ``approver`` is set once it is known who tried."""

    def __init__(self, cause: Cause, reason: str, *, approver: str | None = None) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason
        self.approver = approver


@dataclasses.dataclass(frozen=True, slots=True)
class Decider:
    """A person who decides.

    ``marks`` are all the ways in which we know that person: two deciders that share one count as one person.
    ``subject`` is ``iss|sub`` where it is known, ``public`` the raw Ed25519 key where one is enrolled.
    """

    id: str
    name: str
    groups: frozenset[str]
    marks: frozenset[str]
    subject: str | None
    public: bytes | None

    def to_json(self) -> JsonObject:
        """The member ``approver`` of an ``approval`` Record."""
        groups: list[Json] = [*sorted(self.groups)[:_GROUPS_MAX]]
        value: JsonObject = {"id": self.id, "name": self.name, "groups": groups}
        if self.subject is not None:
            value["iss"], _, value["sub"] = self.subject.partition("|")
        if self.public is not None:
            value["key"] = base64.b64encode(self.public).decode("ascii")
        return value


def enrolled(approvers: Sequence[Approver], approver_id: str) -> Decider | None:
    """The approver enrolled as ``approver_id``, or None."""
    entry = next((entry for entry in approvers if entry.id == approver_id), None)
    return None if entry is None else _of_entry(entry)


def enrolled_by_key(approvers: Sequence[Approver], public: bytes) -> Decider | None:
    """The approver enrolled with the Ed25519 key ``public``, or None."""
    return next((one for one in map(_of_entry, approvers) if one.public == public), None)


def by_token(approvers: Sequence[Approver], caller: Caller) -> Decider:
    """The approver behind a token that identity has judged: an enrolled one, or whom the token's groups make one.

    Raises:
        Rejected: the token was given to somebody acting for the approver.
    """
    # RFC 8693 4.1: a token with `act` is in the hands of another party. An agent that acts for a person must not
    # approve in that person's name.
    if caller.act:
        raise Rejected(Cause.FORBIDDEN, "a delegated token decides nothing; use the approver's own", approver=None)
    subject = f"{caller.iss}|{caller.sub}"
    entry = next((one for one in map(_of_entry, approvers) if one.subject == subject), None)
    if entry is None:
        return Decider(subject, caller.name, frozenset(caller.groups), frozenset({f"who:{subject}"}), subject, None)
    return dataclasses.replace(entry, groups=entry.groups | frozenset(caller.groups))


def by_statement(approvers: Sequence[Approver], approver_id: str) -> Decider:
    """The approver that a statement signed for a token names: enrolled, or ``iss|sub``."""
    entry = enrolled(approvers, approver_id)
    if entry is not None:
        return entry
    return Decider(approver_id, approver_id, frozenset(), frozenset({f"who:{approver_id}"}), approver_id, None)


def check_not_requester(decider: Decider, requester: Requester) -> None:
    """Return if ``decider`` stands nowhere behind the call.

    Raises:
        Rejected: the approver asks for the call, or somebody acts for the approver. No role is exempt.
    """
    if decider.subject in requester.identities:
        raise Rejected(Cause.FORBIDDEN, "nobody approves a call of their own", approver=decider.id)


def check_may_decide(decider: Decider, rule: HoldRule) -> None:
    """Return if ``rule`` names the approver or one of the approver's groups.

    Raises:
        Rejected: it names neither.
    """
    if decider.id not in rule.approver_ids and decider.groups.isdisjoint(rule.approver_groups):
        named = ", ".join((*rule.approver_ids, *(f"group {group}" for group in rule.approver_groups))) or "nobody"
        raise Rejected(
            Cause.FORBIDDEN,
            f"rule {rule.id} is decided by {named}; this approver is not among them",
            approver=decider.id,
        )


def check_distinct(decider: Decider, others: Iterable[Decider]) -> None:
    """Return if ``decider`` is a different person from each of ``others``, as far as enrolment tells.

    Raises:
        Rejected: the same id, key or identity has approved already.
    """
    if any(not decider.marks.isdisjoint(other.marks) for other in others):
        raise Rejected(Cause.FORBIDDEN, "this approver has approved this hold already", approver=decider.id)


def _of_entry(entry: Approver) -> Decider:
    public = _public(entry.public_key)
    subject = f"{entry.iss}|{entry.sub}" if entry.iss is not None and entry.sub is not None else None
    marks = {f"id:{entry.id}"}
    marks |= {f"key:{entry.public_key}"} if public is not None else set()
    marks |= {f"who:{subject}"} if subject is not None else set()
    return Decider(entry.id, entry.name, frozenset(entry.groups), frozenset(marks), subject, public)


def _public(text: str | None) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) if text is not None else None
    except binascii.Error:
        return None
