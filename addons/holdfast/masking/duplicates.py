"""Results that say the same as another, or less."""

import itertools

from presidio_analyzer import EntityRecognizer, RecognizerResult


def without_duplicates(results: list[RecognizerResult]) -> list[RecognizerResult]:
    """What Presidio leaves of ``results``, in its order.

    Where each begins behind the one before it, as matches of one expression do, there is nothing to leave out.
    """
    if len(results) <= 1:
        return results
    are_apart = all(one.start < one.end <= other.start for one, other in itertools.pairwise(results))
    if are_apart and all(one.score for one in results):
        return sorted(results, key=_score_first)
    return list(EntityRecognizer.remove_duplicates(results))


def _score_first(result: RecognizerResult) -> tuple[float, int]:
    return -result.score, result.start
