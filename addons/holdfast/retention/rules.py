"""`retention.yaml`: how long payloads are kept, and which of them a legal hold keeps for longer.

A doubt falls on the side of keeping. A rule that keeps for longer than `keep_days`, and a legal hold, read widely: case
and width make no difference, and a Record that does not say counts as meant. A rule that keeps for less reads narrowly.
"""

import dataclasses
import datetime as dt
import hashlib
from pathlib import Path
from typing import Final

from holdfast.ledger.fields import PAYLOAD_MEMBERS
from holdfast.ledger.record import KINDS
from holdfast.policy.document import Section, Source, parse_document, read_source, require_version
from holdfast.policy.names import Names, Reading
from holdfast.policy.scope import parse_id, parse_names
from holdfast.retention.subject import Subject
from holdfast.retention.times import EXPECTED, parse_time

FILE: Final = "retention.yaml"
DAYS_MAX: Final = 36_500  # a hundred years
_WHOLE: Final = ("req", "res", "found")  # views and statements show who approved what: they are small, and kept


@dataclasses.dataclass(frozen=True, slots=True)
class KeepRule:
    """Payloads of some Records are kept for ``keep_days`` instead."""

    id: str
    server: Names | None
    tool: Names | None
    typ: tuple[str, ...]
    keep_days: int
    reading: Reading

    def is_about(self, subject: Subject) -> bool:
        """Whether the rule means this Record."""
        if self.typ and subject.typ not in self.typ:
            return False
        is_doubted = self.reading is Reading.WIDE
        return _means(self.server, subject.server, is_doubted) and _means(self.tool, subject.tool, is_doubted)


@dataclasses.dataclass(frozen=True, slots=True)
class LegalHold:
    """Payloads of some Records are not erased, whoever asks and however old they are.

    ``since``, ``until``: when the Records were written; a hold ends when it is taken out of the file, not by itself.
    """

    id: str
    reason: str
    since: dt.datetime
    until: dt.datetime | None
    callers: Names | None
    servers: Names | None
    tools: Names | None

    def is_about(self, subject: Subject) -> bool:
        """Whether the hold means this Record."""
        if subject.at < self.since or (self.until is not None and subject.at >= self.until):
            return False
        is_caller = self.callers is None or not subject.callers or self.callers.fit_any(subject.callers)
        return is_caller and _means(self.servers, subject.server, True) and _means(self.tools, subject.tool, True)


def _means(names: Names | None, text: str | None, is_doubted: bool) -> bool:  # noqa: FBT001 -- private
    if names is None:
        return True
    return is_doubted if text is None else names.fit(text)


@dataclasses.dataclass(frozen=True, slots=True)
class Retention:
    """The policy. ``members`` are the members of Records whose payloads it lets go."""

    keep_days: int
    members: tuple[str, ...]
    rules: tuple[KeepRule, ...]
    legal_holds: tuple[LegalHold, ...]

    def keep_days_of(self, subject: Subject) -> int:
        """For how long payloads of this Record are kept: the first rule about it decides."""
        return next((rule.keep_days for rule in self.rules if rule.is_about(subject)), self.keep_days)

    def held_by(self, subject: Subject) -> LegalHold | None:
        """The first legal hold on this Record, or None."""
        return next((hold for hold in self.legal_holds if hold.is_about(subject)), None)


def load_retention(directory: Path) -> tuple[Retention, Source]:
    """The policy in the folder ``directory``, and the file it was read from.

    Raises:
        RulesError: the file is missing or wrong.
    """
    source = read_source(directory / FILE)
    return parse_source(source), source


def parse_source(source: Source) -> Retention:
    """The policy that ``source`` spells.

    Raises:
        RulesError: it is wrong; names file, line and key.
    """
    section = parse_document(source)
    require_version(section)
    return parse_retention(section)


def digest_hex(source: Source) -> str:
    """What a Record names the policy by."""
    return hashlib.sha256(source.data).hexdigest()


def parse_retention(section: Section) -> Retention:
    """The policy in the top mapping of `retention.yaml`, whose version has been checked.

    Raises:
        RulesError: a key is unknown, missing or wrong.
    """
    keep_days = section.integer("keep_days", high=DAYS_MAX)
    members = section.texts("payloads", _WHOLE)
    if any(member not in PAYLOAD_MEMBERS for member in members):
        raise section.error("payloads", "names no payload of a Record", f"Use some of: {', '.join(PAYLOAD_MEMBERS)}")
    seen: set[str] = set()
    rules = tuple(_rule(entry, seen, keep_days) for entry in section.sections("rules"))
    legal_holds = tuple(_hold(entry, seen) for entry in section.sections("legal_holds"))
    if "legal_holds" not in section:
        # A file without the list could be one from which it was lost.
        raise section.error("legal_holds", "is missing", "Write `legal_holds: []` if nothing is held")
    section.done()
    return Retention(keep_days, members, rules, legal_holds)


def _rule(entry: Section, seen: set[str], keep_days: int) -> KeepRule:
    rule_id = parse_id(entry, seen)
    entry.text("description")
    days = entry.integer("keep_days", high=DAYS_MAX)
    reading = Reading.WIDE if days >= keep_days else Reading.NARROW
    typ = entry.texts("typ", ())
    if any(name not in KINDS for name in typ):
        raise entry.error("typ", "is no typ of a Record", "docs/records.md lists them")
    rule = KeepRule(
        rule_id, parse_names(entry, "server", reading), parse_names(entry, "tool", reading), typ, days, reading
    )
    if rule.server is None and rule.tool is None and not typ:
        raise entry.error("id", "is of a rule about everything", "Name server, tool or typ, or change keep_days above")
    entry.done()
    return rule


def _hold(entry: Section, seen: set[str]) -> LegalHold:
    hold_id = parse_id(entry, seen)
    since = parse_at(entry, "since")
    until = parse_at(entry, "until") if "until" in entry else None
    if until is not None and until <= since:
        raise entry.error("until", "is not after since", "Write a later time, or leave it out")
    hold = LegalHold(
        hold_id,
        entry.text("reason"),
        since,
        until,
        callers=parse_names(entry, "callers", Reading.WIDE),
        servers=parse_names(entry, "servers", Reading.WIDE),
        tools=parse_names(entry, "tools", Reading.WIDE),
    )
    entry.done()
    return hold


def parse_at(entry: Section, key: str) -> dt.datetime:
    """The time under ``key``; YAML reads one without quotes as a date of its own.

    Raises:
        RulesError: it is no time, or has no zone.
    """
    value = entry.raw(key)
    text = value.isoformat() if isinstance(value, dt.date) else value
    try:
        return parse_time(text if isinstance(text, str) else "")
    except ValueError:
        raise entry.error(key, "is no time", EXPECTED) from None
