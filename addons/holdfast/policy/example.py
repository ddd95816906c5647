"""Examples: Calls written in YAML, which rules carry to prove themselves and which users test their rules with."""

import dataclasses
import datetime as dt
from typing import Final

from holdfast.call import Call, Direction
from holdfast.identity.caller import Caller
from holdfast.jsontext import Json, JsonObject
from holdfast.masking.finding import Finding
from holdfast.policy.annotations import UNKNOWN, Annotations, parse_annotations
from holdfast.policy.document import Section
from holdfast.policy.scope import Facts

FINDINGS_COUNT_MAX: Final = 10_000  # of one entity; examples are written by hand
EXAMPLE_SUB: Final = "someone"
EXAMPLE_ISS: Final = "https://issuer.example"
EXAMPLE_SERVER: Final = "example"
_NEVER: Final = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclasses.dataclass(frozen=True, slots=True)
class Example:
    """A Call with its circumstances. ``states_findings``: they are given, so masking need not find them."""

    facts: Facts
    line: int
    states_findings: bool


def make_caller(
    groups: tuple[str, ...] = (), sub: str = EXAMPLE_SUB, iss: str = EXAMPLE_ISS, client: str | None = None
) -> Caller:
    """A Caller who exists in examples only."""
    return Caller(
        iss=iss,
        sub=sub,
        name=sub,
        groups=groups,
        aud="example",
        client=client,
        auth="jwt",
        token_digest_hex="0" * 64,
        expires_at=_NEVER,
    )


def make_call(method: str, name: str | None, arguments: Json, params: JsonObject, direction: Direction) -> Call:
    """A Call of ``method`` on ``name``; ``params`` are further members.

    Raises:
        ValueError: the method names nothing, so ``name`` has no place.
    """
    members = dict(params)
    if name is not None:
        members[_member_of(method)] = name
    if arguments is not None:
        members["arguments"] = arguments
    call_id = None if method.startswith("notifications/") else 1
    return Call(method, members, call_id, direction)


def _member_of(method: str) -> str:
    for member in ("name", "uri", "taskId", "model"):
        if Call(method, {member: "x"}, 1, Direction.TO_SERVER).name == "x":
            return member
    raise ValueError("names nothing")


def make_findings(counts: dict[str, int]) -> tuple[Finding, ...]:
    """As many findings of each entity as ``counts`` says."""
    return tuple(
        Finding(rule="example", entity=entity, path=f"/params/{index}", length=1, score=1.0, recognizer="example")
        for entity, count in counts.items()
        for index in range(count)
    )


def parse_examples(section: Section, key: str, direction: Direction) -> tuple[Example, ...]:
    """The examples under ``key``; the Calls travel in ``direction``.

    Raises:
        RulesError: an entry that is no example.
    """
    return tuple(parse_example(entry, direction) for entry in section.sections(key))


def parse_example(entry: Section, direction: Direction) -> Example:
    """One example; every key of ``entry`` must be known, here or to whoever asked before.

    Raises:
        RulesError: names file, line and key.
    """
    params = entry.json("params", {})
    if not isinstance(params, dict):
        raise entry.error("params", "is no mapping", "Indent `key: value` lines under it")
    method = entry.text("method", "tools/call")
    try:
        call = make_call(method, entry.text_or_none("name"), entry.json("arguments", None), params, direction)
    except ValueError:
        raise entry.error("name", f"has no place in {method}", "Leave it out") from None
    trusted = entry.choice("definition", ("trusted", "untrusted"), "trusted") == "trusted"
    facts = Facts(
        call, _caller(entry), entry.text("server", EXAMPLE_SERVER), _findings(entry), _annotations(entry), trusted
    )
    entry.done()
    return Example(facts, entry.line, "findings" in entry)


def _caller(entry: Section) -> Caller:
    section = entry.section("caller")
    if section is None:
        return make_caller()
    caller = make_caller(
        section.texts("groups", ()),
        section.text("sub", EXAMPLE_SUB),
        section.text("iss", EXAMPLE_ISS),
        section.text_or_none("client"),
    )
    section.done()
    return caller


def _findings(entry: Section) -> tuple[Finding, ...]:
    section = entry.section("findings")
    if section is None:
        return ()
    return make_findings({key: section.integer(key, high=FINDINGS_COUNT_MAX) for key in section.keys()})  # noqa: SIM118 -- a Section is no mapping


def _annotations(entry: Section) -> Annotations:
    section = entry.section("annotations")
    if section is None:
        return UNKNOWN
    hints: dict[str, Json] = {
        hint: section.flag(hint)
        for hint in ("readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint")
        if hint in section
    }
    section.done()
    return parse_annotations(hints)
