"""What masking found in a message, one by one: a payload beside the message, for whoever must account for it.

The Record itself has the counts. Paths name members of the message, so they are content, and go when it is erased.
"""

import dataclasses
from typing import Final

from holdfast import jsontext
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Payload
from holdfast.masking.finding import Finding, Masked

FOUND_COUNT_MAX: Final = 500  # of each kind; some 100 kB. The counts in the Record are of all
PATH_CHARS_MAX: Final = 300
FOUND_TYPE: Final = "application/json"


def found(masked: Masked) -> dict[str, Payload]:
    """The payload `found` of a Record about ``masked``; none where nothing was found."""
    if not masked.findings and not masked.restored:
        return {}
    body: JsonObject = {"findings": _listed(masked.findings)}
    if masked.restored:
        body["restored"] = _listed(masked.restored)
    more = sum(max(0, len(some) - FOUND_COUNT_MAX) for some in (masked.findings, masked.restored))
    if more:
        body["more"] = more
    return {"found": Payload(FOUND_TYPE, jsontext.canonical(body))}


def _listed(findings: tuple[Finding, ...]) -> list[Json]:
    return [_one(finding) for finding in findings[:FOUND_COUNT_MAX]]


def _one(finding: Finding) -> JsonObject:
    member: JsonObject = dataclasses.asdict(finding)
    return member | {"path": finding.path[:PATH_CHARS_MAX]}
