"""Two packages, or two checkpoints of one ledger, side by side: does the second continue the first, and what is new?"""

import collections
import dataclasses
from collections.abc import Iterable, Mapping
from typing import Final

from holdfast import jsontext
from holdfast.errors import EvidenceError
from holdfast.evidence.files import enrolment
from holdfast.evidence.files.enrolment import Enrolment
from holdfast.evidence.files.scope import Mark
from holdfast.evidence.proofs.proving import PackageTree
from holdfast.jsontext import Json, JsonObject

# What a state is made of: only these are parsed among the Records that both sides have.
STATE_TYPS: Final = (b'"typ":"rules.loaded"', b'"typ":"tool.defined"')


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """What was in force at the end of a side, as texts by name: rule files and tools by digest, approvers in words."""

    rules: str
    files: Mapping[str, str]
    tools: Mapping[str, str]
    approvers: Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Side:
    """One of the two: which ledger, from which index to which Mark."""

    origin: str
    first: int
    end: Mark
    state: State

    def as_json(self) -> JsonObject:
        """For programs."""
        return {"origin": self.origin, "first": self.first, "size": self.end.size, "root": self.end.root_text}


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """``extends``: whether the second continues the first; None where that cannot be told from what is there."""

    extends: bool | None
    sentence: str
    new_first: int
    new_count: int
    new_typs: Mapping[str, int]
    changes: tuple[tuple[str, str, str, str], ...]

    def as_json(self) -> JsonObject:
        """For programs."""
        changes: list[Json] = [
            {"what": what, "name": name, "before": before, "after": after} for what, name, before, after in self.changes
        ]
        typs: JsonObject = dict(self.new_typs)
        new: JsonObject = {"first": self.new_first, "count": self.new_count, "typs": typs}
        return {"extends": self.extends, "sentence": self.sentence, "new": new, "changes": changes}


def state_of(lines: Iterable[bytes], enrolments: Mapping[str, Enrolment]) -> State:
    """What the Records in ``lines`` leave in force; ``enrolments`` by digest of their Ruleset."""
    rules, files, tools = "", dict[str, str](), dict[str, str]()
    for line in lines:
        if not any(typ in line for typ in STATE_TYPS):
            continue
        match jsontext.parse(line):
            case {"typ": "rules.loaded", "rules": str(rules), "files": dict(loaded)}:
                files = {name: str(digest) for name, digest in loaded.items()}
            case {
                "typ": "tool.defined",
                "dst": {"server": str(server)},
                "tool": {"name": str(name), "digest": str(now)},
            }:
                tools[f"{name} of {server}"] = now
            case _:
                pass
    enrolled = enrolments.get(rules)
    approvers = {
        person.id: f"{person.name}, groups {' '.join(person.groups) or 'none'}, key {person.public_key or 'none'}"
        for person in (enrolled.people if enrolled else ())
    }
    return State(rules, files, tools, approvers)


def side_of(packed: PackageTree) -> Side:
    """The side that a package is.

    Raises:
        EvidenceError: a file in it is damaged.
    """
    enrolments = enrolment.parse(packed.package.read(enrolment.FILE))
    state = state_of((line for _, line in packed.lines()), enrolments)
    if not state.rules and packed.scope.rules:
        # Nothing was loaded within the range: the one Ruleset it names was in force all along.
        rules, files = next(iter(packed.scope.rules.items()))
        state = dataclasses.replace(state, rules=rules, files=files)
    return Side(packed.scope.origin, packed.scope.start.size, packed.scope.end, state)


def changes(before: State, after: State) -> tuple[tuple[str, str, str, str], ...]:
    """What differs: (what, name, before, after), empty texts for what one side does not have."""
    pairs: tuple[tuple[str, Mapping[str, str], Mapping[str, str]], ...] = (
        ("rule file", before.files, after.files),
        ("tool", before.tools, after.tools),
        ("approver", before.approvers, after.approvers),
    )
    return tuple(
        (what, name, old.get(name, ""), new.get(name, ""))
        for what, old, new in pairs
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def typs_of(lines: Iterable[bytes]) -> Mapping[str, int]:
    """How many Records of each typ."""
    found: collections.Counter[str] = collections.Counter()
    for line in lines:
        value = jsontext.parse(line)
        if isinstance(value, dict):
            found[str(value.get("typ"))] += 1
    return dict(sorted(found.items()))


def diff_packages(first: PackageTree, second: PackageTree) -> Difference:
    """Whether ``second`` continues ``first``, and what is new in it. Both have been verified.

    Raises:
        EvidenceError: a file in one of them is damaged.
    """
    a, b = side_of(first), side_of(second)
    extends, sentence = _extends(first, second)
    low = max(a.end.size, b.first)
    typs = typs_of(line for index, line in second.lines() if index >= low) if extends is not False else {}
    count = max(0, b.end.size - low) if extends is not False else 0
    return Difference(extends, sentence, low, count, typs, changes(a.state, b.state))


def _extends(first: PackageTree, second: PackageTree) -> tuple[bool | None, str]:
    a, b = first.scope, second.scope
    if a.origin != b.origin:
        raise EvidenceError(f"the packages are of two ledgers, {a.origin} and {b.origin}")
    if b.end.size < a.end.size:
        # The longer one says whether the shorter one is its beginning.
        is_older = a.start.size <= b.end.size and first.root_at(b.end.size) == b.end.root
        words = "the second is older: the first continues it" if is_older else "the second is shorter than the first"
        return (None if is_older else False), f"{words} ({b.end.size} Records before, {a.end.size} Records)"
    if b.start.size > a.end.size:
        missing = f"{a.end.size} to {b.start.size - 1}"
        return None, f"neither package has the Records {missing}, so neither shows what became of the first"
    if second.root_at(a.end.size) != a.end.root:
        return False, f"the second has another history: at size {a.end.size} its root is not the one of the first"
    if a.end.size == b.end.size:
        return True, f"both end with the same checkpoint, of size {a.end.size}"
    return True, f"the second continues the first, from size {a.end.size} to size {b.end.size}"
