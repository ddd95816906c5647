"""The frameworks that a build speaks of: those of the rules folder, else those that come with Holdfast."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from holdfast.evidence.control.control_files import load
from holdfast.evidence.control.controls import Framework, select

FOLDER: Final = "controls"
SHIPPED: Final = Path(__file__).resolve().parents[4] / "rules" / FOLDER


def chosen(rules_dir: Path | None, ids: Sequence[str]) -> tuple[Framework, ...]:
    """The frameworks in ``rules_dir``/controls, or the shipped ones where it has none; of them what ``ids`` name.

    Raises:
        RulesError: a file is wrong.
        EvidenceError: an id names nothing.
    """
    own = load(rules_dir / FOLDER) if rules_dir is not None else ()
    return select(own or load(SHIPPED), ids)
