"""Messages of segments, whose fields are told by their number: HL7 version 2, X12, EDIFACT, and contacts in vCards.

What a field holds is said by the standards (HL7 2.5.1, 3.4.2 and 6.5; X12 005010X220A1; EDIFACT D.96A): so its name is
given here, and whether it is regulated is asked of the rules, as everywhere.
"""

import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of

_FIELDS: Final = {
    "PID": {2: "mrn", 3: "mrn", 4: "mrn", 5: "patient name", 6: "patient name", 7: "dob", 9: "patient name"}
    | {11: "patient address", 13: "phone", 14: "phone", 18: "account number", 19: "ssn", 20: "driver license"},
    "NK1": {2: "patient name", 4: "patient address", 5: "phone", 6: "phone", 16: "dob", 37: "ssn"},
    "GT1": {3: "patient name", 5: "patient address", 6: "phone", 7: "phone", 8: "dob", 12: "ssn"},
    "IN1": {16: "patient name", 18: "dob", 19: "patient address", 36: "policy number", 49: "insurance id"},
}
# A segment begins its line, which ends with CR, LF or, in a log, with either as an escape.
_SEGMENT: Final = re.compile(
    r"(?:(?<![A-Za-z0-9|^])|(?<=\\[rn]))(?P<kind>PID|NK1|GT1|IN1)\|(?P<fields>(?:[^\r\n\\]|\\(?![rn])){1,4096})"
)
_X12: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:REF\*(?:SY|0F|1L|EA|D9)\*(?P<ref>[^*~\n]{1,80})|DMG\*D8\*(?P<dob>\d{8})"
    r"|NM1\*\w{2,3}\*[12]\*(?:[^*~\n]{0,80}\*){5}XX\*(?P<npi>[^*~\n]{1,20})"
    r"|NM1\*(?:IL|QC|74|S1|S3|03)\*1\*(?P<name>[^*~\n]{0,80}(?:\*[^*~\n]{0,80}){0,2})"
    r"(?:(?:\*[^*~\n]{0,80}){0,3}?\*(?P<kind>34|MI|SY|EI)\*(?P<id>[^*~\n]{1,80}))?"
    r"|N3\*(?P<address>[^~\n]{1,160})|PER\*IP\*(?P<contact>[^~\n]{1,400}))"
)
_REFS: Final = {"SY": "ssn", "0F": "subscriber id", "1L": "policy number", "EA": "mrn", "D9": "mrn"}
_IDS: Final = {"34": "ssn", "SY": "ssn", "MI": "subscriber id", "EI": "ein"}
_NUMBER: Final = re.compile(r"(?:TE|HP|WP|CP|FX)\*([^*~\n]{1,40})")
# Whom to call, and where; a mark that separates has a question mark before it where it is none (ISO 9735).
_EDIFACT: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:COM\+(?P<phone>(?:\?\+)?[\d(][\d ()/.-]{5,30}):(?:TE|FX|AL|MA|CA)(?=['+:])"
    r"|CTA\+[A-Z]{2,3}\+[^:'+\n]{0,17}:(?P<contact>(?:[^:'+?\n]|\?.){2,80}))"
)
_CARD: Final = re.compile(
    r"^(?:item\d{1,3}\.)?(?P<kind>FN|N|BDAY|ADR|TEL|NICKNAME)(?:;[^:\r\n]{0,200})?:(?P<value>[^\r\n]{1,400})"
    r"|;CN=\"?(?P<cn>[^\";:\r\n]{1,100})",
    re.MULTILINE,
)
_NAMES: Final = dict.fromkeys(("FN", "N", "NICKNAME"), "full name")
_CARDS: Final = _NAMES | {"BDAY": "birthday", "ADR": "home address", "TEL": "phone"}


def cells_of_segments(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The fields of messages in ``text`` that hold what a rule is about."""
    if "PID|" in text or "NK1|" in text or "GT1|" in text:
        yield from _hl7(text, matters, spend)
    if "NM1*" in text or "DMG*" in text or "REF*" in text:
        yield from _x12(text, matters, spend)
    if "COM+" in text or "CTA+" in text:
        yield from _edifact(text, matters, spend)
    if "BEGIN:V" in text:
        yield from _cards(text, matters, spend)


def _hl7(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    for segment in _SEGMENT.finditer(text):
        spend(len(segment[0]))
        at, names = segment.start("fields"), _FIELDS[segment["kind"]]
        for number, field in enumerate(segment["fields"].split("|"), 1):
            name = names.get(number)
            # An identifier is the first part of its field; who gave it out is no part of it.
            end = at + (len(field.partition("^")[0]) if name == "mrn" else len(field))
            if name and matters(name) and (cell := cell_of(text, at, end, name)):
                yield cell
            at += len(field) + 1


def _x12(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    for match in _X12.finditer(text):
        spend(len(match[0]))
        for name, (start, end) in _elements(match):
            if matters(name) and (cell := cell_of(text, start, end, name)):
                yield cell


def _elements(match: re.Match[str]) -> Iterator[tuple[str, tuple[int, int]]]:
    if match["ref"]:
        yield _REFS[match[0][4:6]], match.span("ref")
    if match["dob"]:
        yield "dob", match.span("dob")
    if match["npi"]:
        yield "npi", match.span("npi")
    if match["name"]:
        start = match.start("name")
        yield "full name", (start, start + len(match["name"].rstrip("*")))  # parts at its end may be empty
    if match["id"]:
        yield _IDS[match["kind"]], match.span("id")
    if match["address"]:
        yield "home address", match.span("address")
    if match["contact"]:
        first = match.start("contact")
        for number in _NUMBER.finditer(match["contact"]):
            yield "phone", (first + number.start(1), first + number.end(1))


def _edifact(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    for match in _EDIFACT.finditer(text):
        spend(len(match[0]))
        group, name = ("phone", "phone") if match["phone"] else ("contact", "contact person")
        if matters(name) and (cell := cell_of(text, *match.span(group), name)):
            yield cell


def _cards(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    for match in _CARD.finditer(text):
        spend(len(match[0]))
        name = "full name" if match["cn"] else _CARDS[match["kind"]]
        span = match.span("cn") if match["cn"] else match.span("value")
        if matters(name) and (cell := cell_of(text, *span, name)):
            yield cell
