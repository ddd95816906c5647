"""Two columns: what the suite found without the gateway, and with it."""

import collections
from collections.abc import Iterator
from typing import Final

from tests.conformance.suite import Checks, Findings

_BAD: Final = frozenset({"FAILURE", "WARNING"})


def differing(direct: Findings, crossed: Findings) -> list[str]:
    """The scenarios in which any check ended otherwise, or that only one side has."""
    names = direct.keys() | crossed.keys()
    return sorted(name for name in names if direct.get(name) != crossed.get(name))


def failing(findings: Findings) -> list[str]:
    """The scenarios that the fixture does not pass; where it fails anyway, a gateway that breaks more goes unseen."""
    return sorted(name for name, checks in findings.items() if any(status in _BAD for _, status in checks))


def lines(direct: Findings, crossed: Findings) -> Iterator[str]:
    """The table: scenario by scenario, checks that passed and all that were made."""
    width = max(len(name) for name in direct.keys() | crossed.keys())
    yield f"  {'scenario':{width}}  {'direct':>9}  {'through the gateway':>19}"
    different = set(differing(direct, crossed))
    for name in sorted(direct.keys() | crossed.keys()):
        mark = "  DIFFERS" if name in different else ""
        yield f"  {name:{width}}  {_count(direct.get(name)):>9}  {_count(crossed.get(name)):>19}{mark}"
        if mark:
            yield from (f"      {line}" for line in _difference(direct.get(name), crossed.get(name)))
    total = f"  {'all checks':{width}}  {_count(_sum(direct)):>9}  {_count(_sum(crossed)):>19}"
    yield total


def _count(checks: Checks | None) -> str:
    if checks is None:
        return "not run"
    made = {(check, status): count for (check, status), count in checks.items() if status != "SKIPPED"}
    passed = sum(count for (_, status), count in made.items() if status == "SUCCESS")
    return f"{passed}/{sum(made.values())}"


def _sum(findings: Findings) -> Checks:
    return sum(findings.values(), collections.Counter())


def _difference(direct: Checks | None, crossed: Checks | None) -> Iterator[str]:
    only = (direct or collections.Counter()) - (crossed or collections.Counter())
    yield from (f"direct alone: {check} {status} x{count}" for (check, status), count in sorted(only.items()))
    only = (crossed or collections.Counter()) - (direct or collections.Counter())
    yield from (f"gateway alone: {check} {status} x{count}" for (check, status), count in sorted(only.items()))
