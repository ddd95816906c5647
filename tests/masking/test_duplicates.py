"""What several findings of one recognizer leave is what Presidio leaves of them, in its order."""

import random

from presidio_analyzer import EntityRecognizer, RecognizerResult

from holdfast.masking.duplicates import without_duplicates


def drawn(dice: random.Random) -> list[RecognizerResult]:
    """Results in the order of the text, most of them apart, as matches of an expression are."""
    results: list[RecognizerResult] = []
    at = 0
    for _ in range(dice.randrange(2, 6)):
        start = at + dice.choice([-2, -1, 0, 0, 1, 3]) if at else 0
        at = start + dice.randrange(1, 4)
        entity = dice.choice(["US_SSN"] * 9 + ["PHONE_NUMBER"])
        results.append(RecognizerResult(entity, max(0, start), max(1, at), dice.choice([0.0, 0.4, 0.6, 0.6, 1.0])))
    return results


def test_results_that_are_apart_are_left_as_presidio_leaves_them() -> None:
    dice = random.Random(8)
    fewer = 0
    for _ in range(4000):
        results = drawn(dice)
        expected = EntityRecognizer.remove_duplicates(results)
        assert without_duplicates(results) == expected, results
        fewer += len(expected) < len(results)
    assert 400 < fewer < 3600
