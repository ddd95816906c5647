"""Recall, precision and leaks of masking over labelled texts, by entity."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Final

from holdfast.jsontext import JsonObject
from holdfast.masking.scoring.differences import Differences
from holdfast.masking.scoring.labelled import Label, Labelled

OVERLAP_MIN: Final = 0.5  # of the union; the usual measure for spans


@dataclasses.dataclass(slots=True)
class Tally:
    """What was counted for one entity.

    ``labels`` and ``found`` are spans that the data set and masking name, ``hit`` and ``right`` those of them that the
    other names too. ``chars`` are the labelled characters, ``leaked`` those of them that nothing masks, whatever it was
    taken for.
    """

    labels: int = 0
    hit: int = 0
    found: int = 0
    right: int = 0
    chars: int = 0
    leaked: int = 0

    @property
    def recall(self) -> float | None:
        """The share of labels that were found as what they are; None where there are none."""
        return self.hit / self.labels if self.labels else None

    @property
    def precision(self) -> float | None:
        """The share of findings that a label agrees with; None where there are none."""
        return self.right / self.found if self.found else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of both; None where one of them is."""
        recall, precision = self.recall, self.precision
        if recall is None or precision is None:
            return None
        return 2 * recall * precision / (recall + precision) if recall + precision else 0.0

    @property
    def leak(self) -> float | None:
        """The share of labelled characters that travel unmasked; None where there are none."""
        return self.leaked / self.chars if self.chars else None

    def to_json(self) -> JsonObject:
        """All figures."""
        return {
            **dataclasses.asdict(self),
            "recall": self.recall,
            "precision": self.precision,
            "f1": self.f1,
            "leak": self.leak,
        }


@dataclasses.dataclass(slots=True)
class Score:
    """``by_entity`` has every entity that is labelled or found.

    ``clean`` are the characters without a label, ``clean_masked`` those of them that are masked all the same.
    ``differences`` are the places where a label and masking do not agree.
    """

    texts: int = 0
    clean: int = 0
    clean_masked: int = 0
    by_entity: dict[str, Tally] = dataclasses.field(default_factory=dict)
    differences: Differences = dataclasses.field(default_factory=Differences)

    @property
    def over(self) -> float | None:
        """The share of unlabelled characters that are masked; None where there are none."""
        return self.clean_masked / self.clean if self.clean else None

    def of(self, entity: str) -> Tally:
        """The tally of ``entity``."""
        return self.by_entity.setdefault(entity, Tally())

    def to_json(self) -> JsonObject:
        """All figures."""
        entities: JsonObject = {name: tally.to_json() for name, tally in sorted(self.by_entity.items())}
        return {
            "texts": self.texts,
            "clean_chars": self.clean,
            "clean_masked_chars": self.clean_masked,
            "over_masked": self.over,
            "entities": entities,
        }


def score(texts: Iterable[Labelled], locate: Callable[[str], list[Label]]) -> Score:
    """What ``locate`` finds in ``texts``, beside their labels.

    Raises:
        MaskingError: the engine cannot vouch for a text.
    """
    total = Score()
    for one in texts:
        _add(total, one, locate(one.text))
    return total


def _add(total: Score, one: Labelled, found: list[Label]) -> None:
    total.texts += 1
    masked = _covered(found)
    labelled = _covered(one.labels)
    total.clean += len(one.text) - len(labelled)
    total.clean_masked += len(masked - labelled)
    for label in one.labels:
        tally = total.of(label.entity)
        hit = _agrees(label, found)
        tally.labels += 1
        tally.hit += hit
        tally.chars += label.end - label.start
        tally.leaked += len(set(range(label.start, label.end)) - masked)
        if not hit:
            total.differences.add("missed", one.text, label)
    for label in found:
        tally = total.of(label.entity)
        right = _agrees(label, one.labels)
        tally.found += 1
        tally.right += right
        if not right:
            total.differences.add("unlabelled", one.text, label)


def _covered(labels: Iterable[Label]) -> set[int]:
    return {at for label in labels for at in range(label.start, label.end)}


def _agrees(label: Label, others: Iterable[Label]) -> bool:
    return any(other.entity == label.entity and _overlap(label, other) >= OVERLAP_MIN for other in others)


def _overlap(left: Label, right: Label) -> float:
    shared = min(left.end, right.end) - max(left.start, right.start)
    return max(0, shared) / (max(left.end, right.end) - min(left.start, right.start))
