"""The retention policy that the ledger itself says is in force, and its legal holds.

A gateway that loads `retention.yaml` records its digest in `rules.loaded` and keeps the file as an object. So whoever
erases cannot get round a legal hold by naming another folder of rules: a hold is lifted by a change that is recorded.
"""

import json
from collections.abc import Iterable
from typing import Final

from holdfast.errors import LedgerError, RulesError
from holdfast.jsontext import JsonObject
from holdfast.ledger.reader import Reader
from holdfast.ledger.record import object_digest
from holdfast.policy.document import Source
from holdfast.retention.rules import FILE, Retention, parse_source
from holdfast.retention.subject import Subject

_LOADED: Final = b'"typ":"rules.loaded"'  # a quote within a text is escaped, so no text of a Record can hold this
_NEWEST: Final = "SELECT entry FROM entries WHERE instr(entry, ?) ORDER BY seq DESC LIMIT 1"


def in_force(reader: Reader) -> Retention | None:
    """The policy that the last `rules.loaded` Record names; None where none was ever loaded.

    Raises:
        LedgerError: it names one that the ledger does not keep, or that cannot be read.
    """
    row = reader.ledger.execute(_NEWEST, (_LOADED,)).fetchone()
    files = json.loads(row[0]).get("files") if row else None
    digest = files.get(FILE) if isinstance(files, dict) else None
    if digest is None:
        return None
    kept = reader.object(digest)
    if kept is None or object_digest(kept[1]) != digest:
        raise LedgerError(f"the {FILE} in force is not kept in the ledger, so its legal holds are unknown")
    try:
        return parse_source(Source(FILE, kept[1]))
    except RulesError as error:
        raise LedgerError(f"the {FILE} in force cannot be read, so its legal holds are unknown: {error}") from None


def refuse_held(reader: Reader, wanted: Iterable[tuple[str, JsonObject]]) -> None:
    """Refuse if the policy in force has a legal hold on one of ``wanted``: commitments, each with its Record.

    Raises:
        LedgerError: names the payload and the hold.
    """
    policy = in_force(reader)
    if policy is not None:
        refuse_held_by(policy, wanted)


def refuse_held_by(policy: Retention, wanted: Iterable[tuple[str, JsonObject]]) -> None:
    """Like :func:`refuse_held`, for a policy at hand.

    Raises:
        LedgerError: names the payload and the hold.
    """
    for commitment, record in wanted:
        hold = policy.held_by(Subject.of(record))
        if hold is not None:
            raise LedgerError(
                f"{commitment} of record {record['n']} is under the legal hold {hold.id}: {hold.reason}; "
                "nothing was erased"
            )
