"""What every page of a package shares: the links in its bar, and reports without their rows."""

import dataclasses
from typing import Any, Final

from holdfast.evidence.tables.material import Material, Tally
from holdfast.evidence.tables.reports import REPORTS, Report

# Href, words, key; what stands in `reports/` goes one folder up.
_LINKS: Final = (
    ("README.html", "Front page", "front"),
    ("README.html#reports", "Reports", "reports"),
    ("evidence_manifest.html", "Manifest", "manifest"),
    ("VERIFY.md", "How to verify", "verify"),
)
IDS: Final = {item.id[:2]: item.id for item in REPORTS}  # "04" to "04-access-decisions"


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """A report without its rows."""

    report: Report
    tally: Tally


def frame(material: Material, here: str, up: str = "") -> dict[str, Any]:
    """What frame.html.j2 needs. ``up`` is the way to the top of the package."""
    return {
        "scope": material.scope,
        "story": material.story,
        "links": [(up + href, words, key) for href, words, key in _LINKS],
        "here": here,
        "ids": IDS,
    }
