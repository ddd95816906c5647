"""Who may approve, under which rules: `trust/approvers.json`, read from the `approval.yaml` in force.

A verifier without a YAML reader takes this file, checks that every key in it also stands in the rule file, and says so.
"""

import base64
import dataclasses
from typing import Final

from holdfast import jsontext
from holdfast.errors import EvidenceError
from holdfast.jsontext import Json, JsonObject

FILE: Final = "trust/approvers.json"
RULES_FILE: Final = "approval.yaml"
USE_S_MAX: Final = 2**31  # the longest that a rule file can say


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    """An enrolled approver; ``public_key`` is base64 over 32 raw bytes, or empty."""

    id: str
    name: str
    groups: tuple[str, ...]
    public_key: str
    iss: str
    sub: str

    @property
    def public(self) -> bytes:
        """The raw key; empty where none is enrolled."""
        return base64.b64decode(self.public_key)


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """What a hold rule asks of an Approval. ``use_s``: seconds in which a granted Call may still go."""

    id: str
    approver_ids: tuple[str, ...]
    approver_groups: tuple[str, ...]
    approvals_needed: int
    use_s: int


@dataclasses.dataclass(frozen=True, slots=True)
class Enrolment:
    """The approvers and hold rules of one rule set."""

    people: tuple[Person, ...]
    terms: tuple[Terms, ...]

    def person(self, person_id: str) -> Person | None:
        """Who is enrolled as ``person_id``."""
        return next((person for person in self.people if person.id == person_id), None)

    def rule(self, rule_id: str) -> Terms | None:
        """The hold rule of that id."""
        return next((terms for terms in self.terms if terms.id == rule_id), None)


def read_rules(data: bytes) -> Enrolment:
    """The enrolment that the bytes of an `approval.yaml` state.

    Raises:
        EvidenceError: they do not parse.
        ImportError: no YAML reader is installed.
    """
    # Late, because a verifier has the standard library only.
    from holdfast.errors import RulesError  # noqa: PLC0415
    from holdfast.policy.document import Source, parse_document  # noqa: PLC0415
    from holdfast.policy.holding import parse_approval  # noqa: PLC0415

    try:
        rules = parse_approval(parse_document(Source(RULES_FILE, data)))
    except RulesError as error:
        raise EvidenceError(f"the rules in force do not parse: {error}") from None
    return Enrolment(
        people=tuple(
            Person(one.id, one.name, tuple(one.groups), one.public_key or "", one.iss or "", one.sub or "")
            for one in rules.approvers
        ),
        terms=tuple(
            Terms(one.id, tuple(one.approver_ids), tuple(one.approver_groups), one.approvals_needed, one.use_s)
            for one in rules.rules
        ),
    )


def as_json(enrolments: dict[str, Enrolment]) -> bytes:
    """`trust/approvers.json`: the enrolments by digest of their rule set."""
    body: JsonObject = {digest_hex: _plain(enrolment) for digest_hex, enrolment in sorted(enrolments.items())}
    return jsontext.canonical(body) + b"\n"


def _plain(enrolment: Enrolment) -> Json:
    people: list[Json] = [
        {"id": one.id, "name": one.name, "groups": [*one.groups], "public_key": one.public_key, "iss": one.iss,
         "sub": one.sub}
        for one in enrolment.people
    ]  # fmt: skip
    rules: list[Json] = [
        {"id": one.id, "approver_ids": [*one.approver_ids], "approver_groups": [*one.approver_groups],
         "approvals_needed": one.approvals_needed, "use_s": one.use_s}
        for one in enrolment.terms
    ]  # fmt: skip
    return {"approvers": people, "rules": rules}


def parse(data: bytes) -> dict[str, Enrolment]:
    """The inverse of :func:`as_json`, strict.

    Raises:
        EvidenceError: any other spelling.
    """
    try:
        value = jsontext.parse(data)
        enrolments = {digest: _enrolment(item) for digest, item in value.items()} if isinstance(value, dict) else {}
    except (jsontext.JsonError, KeyError, TypeError, ValueError):
        raise EvidenceError(f"{FILE}: not a list of approvers") from None
    if as_json(enrolments) != data:
        raise EvidenceError(f"{FILE}: not in canonical form")
    return enrolments


def _enrolment(value: Json) -> Enrolment:
    if not isinstance(value, dict):
        raise TypeError
    people, rules = value["approvers"], value["rules"]
    if not isinstance(people, list) or not isinstance(rules, list):
        raise TypeError
    return Enrolment(tuple(_person(item) for item in people), tuple(_terms(item) for item in rules))


def _person(value: Json) -> Person:
    match value:
        case {"id": str(id_), "name": str(name), "groups": list(groups), "public_key": str(key), "iss": str(iss),
              "sub": str(sub)}:  # fmt: skip
            person = Person(id_, name, tuple(map(str, groups)), key, iss, sub)
        case _:
            raise TypeError
    base64.b64decode(key, validate=True)
    return person


def _terms(value: Json) -> Terms:
    match value:
        case {"id": str(id_), "approver_ids": list(ids), "approver_groups": list(groups), **numbers}:
            needed, use_s = numbers["approvals_needed"], numbers["use_s"]
        case _:
            raise TypeError
    if not isinstance(needed, int) or not isinstance(use_s, int) or not 0 <= use_s <= USE_S_MAX:
        raise TypeError
    return Terms(id_, tuple(map(str, ids)), tuple(map(str, groups)), needed, use_s)
