"""Conditions on arguments: one path, and what must be true of what stands there.

How a condition adds up depends on the rule's :class:`~holdfast.policy.names.Reading`. A rule that lets pass needs every
place to hold; missing or unreadable is not enough. A rule that stops needs one place that holds or cannot be read.
"""

import dataclasses
from typing import Final, assert_never

from holdfast.jsontext import Json
from holdfast.policy.document import Section
from holdfast.policy.names import Reading, fold_name
from holdfast.policy.paths import Gap, Path, Place, parse_path
from holdfast.policy.pattern import Budget, Fit, Pattern, parse_pattern

OPERATORS: Final = ("equals", "one_of", "matches", "min", "max", "absent")
NUMBER_MAX: Final = 1e15  # whole numbers up to here are exact as floating point numbers


@dataclasses.dataclass(frozen=True, slots=True)
class OneOf:
    """The value is one of these."""

    values: tuple[Json, ...]
    word: str = "one_of"


@dataclasses.dataclass(frozen=True, slots=True)
class Matches:
    """The value is a text, and the whole of it matches."""

    pattern: Pattern
    word: str = "matches"


@dataclasses.dataclass(frozen=True, slots=True)
class AtLeast:
    """The value is a number, and no smaller."""

    limit: float
    word: str = "min"


@dataclasses.dataclass(frozen=True, slots=True)
class AtMost:
    """The value is a number, and no larger."""

    limit: float
    word: str = "max"


@dataclasses.dataclass(frozen=True, slots=True)
class Absent:
    """There is nothing (``wanted``), or there is something whatever it is."""

    wanted: bool
    word: str = "absent"


type Test = OneOf | Matches | AtLeast | AtMost | Absent


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """One entry under ``arguments`` or ``params``: a path and tests, all of which must hold there."""

    path: Path
    tests: tuple[Test, ...]
    optional: bool
    reading: Reading

    def why_not(self, params: Json) -> str | None:
        """None where the condition is met by ``params``, else why it is not: path and operator, never the value."""
        budget = Budget()
        last: tuple[Fit, str] = (Fit.MISSING, "path")
        for place in self.path.places(params):
            last = self._at(place, budget)
            met = last[0] is Fit.HOLDS or (self.reading is Reading.WIDE and last[0] is Fit.UNREADABLE)
            if met is (self.reading is Reading.WIDE):
                break  # narrow: one that is not met settles it; wide: one that is
        else:
            met = self.reading is Reading.NARROW
        return None if met else f"{self.path.text}: {last[1]} {last[0].value}"

    def _at(self, place: Place, budget: Budget) -> tuple[Fit, str]:
        fits = [(_fit(test, place, self.reading, budget), test.word) for test in self.tests]
        for wanted in (Fit.UNREADABLE, Fit.MISSING, Fit.FAILS):
            for fit in fits:
                if fit[0] is wanted:
                    return (Fit.HOLDS, fit[1]) if wanted is Fit.MISSING and self.optional else fit
        return fits[0]


def _fit(test: Test, place: Place, reading: Reading, budget: Budget) -> Fit:
    if isinstance(test, Absent):
        return _absent(place, wanted=test.wanted)
    match place:
        case Gap.MISSING:
            return Fit.MISSING
        case Gap.UNREADABLE:
            return Fit.UNREADABLE
    match test:
        case OneOf():
            return _one_of(test.values, place, reading)
        case Matches():
            return _matches(test.pattern, place, reading, budget)
        case AtLeast():
            return _compare(place, low=test.limit, high=None)
        case AtMost():
            return _compare(place, low=None, high=test.limit)
        case _:
            assert_never(test)


def _absent(place: Place, *, wanted: bool) -> Fit:
    match place:
        case Gap.MISSING:
            return Fit.HOLDS if wanted else Fit.FAILS
        case Gap.UNREADABLE | None:
            return Fit.UNREADABLE  # to some servers null is nothing, to others it is something
        case _:
            return Fit.FAILS if wanted else Fit.HOLDS


def _kind(value: Json) -> type:
    # JSON has one type of number; bool is an int to Python only.
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _alike(left: Json, right: Json) -> bool:
    """JSON equality: types differ where JSON's do, numbers compare by value, all the way down."""
    if _kind(left) is not _kind(right):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_alike, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_alike(left[key], right[key]) for key in left)
    return left == right


def _one_of(values: tuple[Json, ...], place: Json, reading: Reading) -> Fit:
    if any(_alike(value, place) for value in values):
        return Fit.HOLDS
    if all(_kind(value) is not _kind(place) for value in values):
        return Fit.UNREADABLE  # servers coerce: "true" may come to be true
    if reading is Reading.WIDE and isinstance(place, str):
        folded = fold_name(place)
        if any(isinstance(value, str) and fold_name(value) == folded for value in values):
            return Fit.HOLDS
    return Fit.FAILS


def _matches(pattern: Pattern, place: Json, reading: Reading, budget: Budget) -> Fit:
    if not isinstance(place, str):
        return Fit.UNREADABLE
    return pattern.fits_widely(place, budget) if reading is Reading.WIDE else pattern.fits(place, budget)


def _compare(place: Json, *, low: float | None, high: float | None) -> Fit:
    if isinstance(place, bool) or not isinstance(place, int | float):
        return Fit.UNREADABLE
    holds = (low is None or place >= low) and (high is None or place <= high)
    return Fit.HOLDS if holds else Fit.FAILS


def parse_conditions(section: Section, key: str, prefix: tuple[str, ...], reading: Reading) -> tuple[Condition, ...]:
    """The entries under ``key``, whose paths lie below ``prefix`` in params.

    Raises:
        RulesError: a bad path or operator, or an entry without one.
    """
    return tuple(_condition(entry, prefix, reading) for entry in section.sections(key))


def _condition(entry: Section, prefix: tuple[str, ...], reading: Reading) -> Condition:
    try:
        path = parse_path(entry.text("path"), prefix)
    except ValueError as error:
        raise entry.error("path", str(error), "Write a JSON pointer such as /amount or /items/*/id") from None
    optional = entry.flag("optional", default=False)
    tests = tuple(_test(entry, operator) for operator in OPERATORS if operator in entry)
    if not tests:
        raise entry.error("path", "has no operator beside it", f"Add one of: {', '.join(OPERATORS)}")
    if "absent" in entry and (len(tests) > 1 or optional):
        raise entry.error("absent", "stands beside another operator", "Nothing more can be said of what is absent")
    entry.flag("absent", default=False)
    _known(entry)
    return Condition(path, tests, optional, reading)


def _known(entry: Section) -> None:
    for operator in OPERATORS:
        entry.raw(operator, None)  # so that an unknown key's error lists them all
    entry.done()


def _test(entry: Section, operator: str) -> Test:
    match operator:
        case "equals":
            return OneOf((entry.json("equals"),), "equals")
        case "one_of":
            values = entry.json("one_of")
            if not isinstance(values, list) or not values:
                raise entry.error("one_of", "is no list with entries", "Write [a, b]")
            return OneOf(tuple(values))
        case "matches":
            return Matches(parse_pattern(entry, "matches", entry.text("matches")))
        case "min":
            return AtLeast(entry.number("min", low=-NUMBER_MAX, high=NUMBER_MAX))
        case "max":
            return AtMost(entry.number("max", low=-NUMBER_MAX, high=NUMBER_MAX))
        case _:
            return Absent(entry.flag("absent"))
