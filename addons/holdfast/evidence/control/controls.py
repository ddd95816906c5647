"""Controls: clauses of a framework, and what the Records of a package contribute to each. Standard library only.

A package holds one JSON file for each framework and one table, `CONTROLS.csv`, over all of them. What a Control may
claim is bounded: ``coverage`` is about calls that passed the gateway. Whether a clause is met is for an auditor to say.
"""

import dataclasses
import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from holdfast import jsontext
from holdfast.errors import EvidenceError
from holdfast.jsontext import Json, JsonObject

FORMAT: Final = "holdfast-controls/1"
SUPPORTS, PARTIAL, NOT_COVERED = "supports", "partial", "not covered"
COVERAGES: Final = (SUPPORTS, PARTIAL, NOT_COVERED)
# The reports of a package. A test compares them with reports.py, which needs more than a reader of this file has.
REPORT_IDS: Final = (
    *("01-scope", "02-population", "03-identity", "04-access-decisions", "05-masking", "06-approvals"),
    *("07-exceptions", "08-changes", "09-gaps", "10-log-access", "11-integrity"),
)
FRAMEWORK_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")  # also the name of a file in a package
CONTROL_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .()/-]{0,39}")
TEXT_CHARS_MAX: Final = 1500  # a cell of a table that people read
CONTROLS_MAX: Final = (
    500  # of one framework; the largest catalogue in use, NIST's, has some 1,200 with all enhancements
)
# Words that no evidence can bear out: whether a standard is met is for an assessor to say.
OVERCLAIM: Final = re.compile(r"\b(?:compliant|certified|guarantees?|ensures? compliance)\b", re.IGNORECASE)
CSV_COLUMNS: Final = (
    *("framework", "control", "title", "requirement", "coverage", "what_holdfast_gives", "left_to_you"),
    *("reports", "rows"),
)


class HasRows(Protocol):
    """How much there is in a report."""

    @property
    def rows(self) -> int:
        """The number of its rows."""


class Counted(Protocol):
    """Of what a package is made from (material.py), all that is needed here."""

    @property
    def tallies(self) -> Mapping[str, HasRows]:
        """What was counted of each report, by its id."""


@dataclasses.dataclass(frozen=True, slots=True)
class Control:
    """One clause. ``requirement`` is a paraphrase; ``gives`` and ``reports`` are empty where nothing is covered."""

    id: str
    title: str
    requirement: str
    coverage: str
    gives: str
    left_to_you: str
    reports: tuple[str, ...]

    def to_json(self) -> JsonObject:
        """As it stands in `controls/<framework>.json`."""
        return {**dataclasses.asdict(self), "reports": list(self.reports)}


@dataclasses.dataclass(frozen=True, slots=True)
class Framework:
    """A framework in one edition, with its Controls in the order of the file."""

    id: str
    name: str
    edition: str
    note: str
    controls: tuple[Control, ...]

    def counts(self) -> dict[str, int]:
        """How many Controls have which coverage."""
        return {coverage: sum(one.coverage == coverage for one in self.controls) for coverage in COVERAGES}


def fault_of(control: Control) -> tuple[str, str] | None:
    """The member of ``control`` that is wrong, and what is wrong with it; None where nothing is."""
    texts = {"title": control.title, "requirement": control.requirement, "left_to_you": control.left_to_you}
    if CONTROL_ID.fullmatch(control.id) is None:
        return "id", "is no id: at most 40 letters, digits, blanks, points, slashes, hyphens and round brackets"
    for name, text in (texts | {"gives": control.gives}).items():
        if (not text.strip() and name != "gives") or len(text) > TEXT_CHARS_MAX:
            return name, f"is empty or longer than {TEXT_CHARS_MAX} characters"
        if OVERCLAIM.search(text):
            return name, "promises what evidence cannot show"
    if control.coverage not in COVERAGES:
        return "coverage", f"is none of: {', '.join(COVERAGES)}"
    unknown = [name for name in control.reports if name not in REPORT_IDS]
    if unknown or len(set(control.reports)) != len(control.reports):
        return "reports", f"names {unknown[0]!r}, which is no report" if unknown else "names a report twice"
    if (control.coverage == NOT_COVERED) == bool(control.gives.strip()):
        return "gives", "must say what there is, and must be left out where nothing is covered"
    if (control.coverage == NOT_COVERED) == bool(control.reports):
        return "reports", "must name those that show it, and must be left out where nothing is covered"
    return None


def as_json(framework: Framework) -> bytes:
    """`controls/<framework>.json`."""
    value: JsonObject = {
        "format": FORMAT,
        "id": framework.id,
        "name": framework.name,
        "edition": framework.edition,
        "note": framework.note,
        "controls": [control.to_json() for control in framework.controls],
    }
    return jsontext.canonical(value) + b"\n"


def parse_json(data: bytes) -> Framework:
    """The inverse of :func:`as_json`, strict.

    Raises:
        EvidenceError: any other spelling, another format, or a Control that says what it must not.
    """
    try:
        framework = _framework(jsontext.parse(data))
    except (jsontext.JsonError, KeyError, TypeError, AttributeError):
        raise EvidenceError("controls: not the description of a framework") from None
    if FRAMEWORK_ID.fullmatch(framework.id) is None or len(framework.controls) > CONTROLS_MAX:
        raise EvidenceError("controls: not the description of a framework")
    faults = (fault_of(control) for control in framework.controls)
    for control, fault in zip(framework.controls, faults, strict=True):
        if fault is not None:
            raise EvidenceError(f"controls/{framework.id}.json: control {control.id!r}: {fault[0]} {fault[1]}")
    if len({control.id for control in framework.controls}) != len(framework.controls):
        raise EvidenceError(f"controls/{framework.id}.json: two controls have the same id")
    if as_json(framework) != data:
        raise EvidenceError(f"controls/{framework.id}.json: not in canonical form, or of another format")
    return framework


def _framework(value: Json) -> Framework:
    members = _object(value)
    controls = members["controls"]
    if not isinstance(controls, list):
        raise TypeError
    name, edition, note = (_text(members[key]) for key in ("name", "edition", "note"))
    return Framework(_text(members["id"]), name, edition, note, tuple(_control(_object(item)) for item in controls))


def _control(members: JsonObject) -> Control:
    reports = members["reports"]
    if not isinstance(reports, list):
        raise TypeError
    texts = {field.name: _text(members[field.name]) for field in dataclasses.fields(Control) if field.name != "reports"}
    return Control(**texts, reports=tuple(_text(item) for item in reports))


def _object(value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise TypeError
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def select(frameworks: Sequence[Framework], ids: Iterable[str]) -> tuple[Framework, ...]:
    """The frameworks and Controls that ``ids`` name, in their own order; all of them where ``ids`` is empty.

    An id is a framework's (``soc2``), a Control's (``CC6.1``: in every framework that has it), or both
    (``gdpr:Art. 32``). Case and blanks make no difference.

    Raises:
        EvidenceError: an id names nothing; names the nearest that exist.
    """
    wanted = {_plain(name): name for name in ids}
    if not wanted:
        return tuple(frameworks)
    known = {name for framework in frameworks for names in _names(framework).values() for name in names}
    for plain, name in wanted.items():
        if plain not in {_plain(one) for one in known}:
            raise EvidenceError(f"no framework and no control is called {name!r}; {_nearest(name, known)}")
    chosen = (_choose(framework, set(wanted)) for framework in frameworks)
    return tuple(framework for framework in chosen if framework.controls)


def _names(framework: Framework) -> dict[str, tuple[str, ...]]:
    """Every name under which each Control can be asked for, by its id."""
    return {one.id: (framework.id, one.id, f"{framework.id}:{one.id}") for one in framework.controls}


def _choose(framework: Framework, wanted: set[str]) -> Framework:
    names = _names(framework)
    kept = tuple(one for one in framework.controls if wanted & {_plain(name) for name in names[one.id]})
    return dataclasses.replace(framework, controls=kept)


def _plain(name: str) -> str:
    return re.sub(r"\s+", "", name).casefold()


def _nearest(name: str, known: set[str]) -> str:
    by_plain = {_plain(one): one for one in sorted(known)}
    near = difflib.get_close_matches(_plain(name), by_plain, n=3, cutoff=0.5)
    if near:
        return "did you mean " + ", ".join(by_plain[one] for one in near) + "?"
    return "there are " + ", ".join(sorted(one for one in known if FRAMEWORK_ID.fullmatch(one))) + " and their controls"


def csv_rows(frameworks: Iterable[Framework], material: Counted) -> Iterator[tuple[object, ...]]:
    """The rows of `CONTROLS.csv` below :data:`CSV_COLUMNS`.

    ``material`` has counted the rows of every report: how much there is to look at, and no measure of how good it is.
    """
    for framework in frameworks:
        for one in framework.controls:
            rows = " ".join(str(material.tallies[name].rows) for name in one.reports)
            yield (
                *(framework.id, one.id, one.title, one.requirement, one.coverage, one.gives, one.left_to_you),
                *(" ".join(one.reports), rows),
            )
