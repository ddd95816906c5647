"""A score as a table for people."""

from collections.abc import Iterator
from typing import Final

from holdfast.masking.scoring.score import Score

_HEAD: Final = f"  {'entity':<22}{'labels':>8}{'recall':>8}{'found':>8}{'precision':>11}{'F1':>8}{'leaked':>9}"


def lines_of(name: str, score: Score) -> Iterator[str]:
    """The lines of the table; a dash stands where there is nothing to count."""
    over = "-" if score.over is None else f"{100 * score.over:.2f} %"
    yield f"{name}: {score.texts} texts; of the characters without a label {over} are masked"
    yield _HEAD
    for entity, tally in sorted(score.by_entity.items()):
        recall, precision, f1 = (_share(value) for value in (tally.recall, tally.precision, tally.f1))
        leak = "-" if tally.leak is None else f"{100 * tally.leak:.2f} %"
        yield f"  {entity:<22}{tally.labels:>8}{recall:>8}{tally.found:>8}{precision:>11}{f1:>8}{leak:>9}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
