"""Which payloads the retention policy lets go. Nothing is erased here."""

import collections
import dataclasses
import datetime as dt
import json

from holdfast.ledger.keeping.erasing import commitments_of
from holdfast.ledger.reader import Reader
from holdfast.retention.rules import Retention
from holdfast.retention.subject import Subject


@dataclasses.dataclass(slots=True)
class Plan:
    """What can go of the payloads of Records before a time, and why the others stay.

    ``young`` are inside their keep_days, ``held`` under a legal hold (count by its id), ``other`` of kinds that the
    policy keeps; ``erased`` went before.
    """

    commitments: list[str] = dataclasses.field(default_factory=list)
    young: int = 0
    other: int = 0
    erased: int = 0
    held: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)


def plan(
    reader: Reader, policy: Retention, before: dt.datetime, now: dt.datetime, *, in_force: Retention | None = None
) -> Plan:
    """What ``policy`` lets go of the payloads of Records written before ``before``.

    Args:
        reader: the ledger.
        policy: says how long payloads are kept, and which are held.
        before: Records from then on are not looked at.
        now: what ages are measured to.
        in_force: the policy that the ledger says is in force; its legal holds count too.
    """
    found = Plan()
    for _, entry in reader.records():
        payloads = list(commitments_of(entry))
        if payloads:
            _judge(found, reader, (policy, in_force or policy), payloads, Subject.of(json.loads(entry)), before, now)
    return found


def _judge(
    found: Plan,
    reader: Reader,
    policies: tuple[Retention, Retention],
    payloads: list[tuple[str, str]],
    subject: Subject,
    before: dt.datetime,
    now: dt.datetime,
) -> None:
    if subject.at >= before:
        return
    policy, in_force = policies
    hold = policy.held_by(subject) or in_force.held_by(subject)
    is_young = subject.at + dt.timedelta(days=policy.keep_days_of(subject)) > now
    for member, commitment in payloads:
        if not reader.holds_payload(commitment):
            found.erased += 1
        elif hold is not None:
            found.held[hold.id] += 1
        elif member not in policy.members:
            found.other += 1
        elif is_young:
            found.young += 1
        else:
            found.commitments.append(commitment)
