"""Where each character of a text that was written anew came from."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.masking.origins import Origins, Pieces, from_place


def _written(lengths: list[tuple[int, int, int]]) -> tuple[Origins, list[int], int]:
    """The origins of a text of stretches that were kept, and of units; the same as a list; where the original ends."""
    pieces, listed, at = Pieces(), list[int](), 0
    for kept, shown, width in lengths:
        pieces.copy(at, at + kept)
        listed += range(at, at + kept)
        at += kept
        pieces.stand(at, shown)
        listed += [at] * shown
        at += width
    return pieces.done(at), [*listed, at], at


LENGTHS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(1, 4)), max_size=8)


@given(LENGTHS)
def test_each_character_is_from_where_its_unit_began(lengths: list[tuple[int, int, int]]) -> None:
    origins, listed, _ = _written(lengths)
    assert [origins[index] for index in range(len(listed))] == listed


@given(LENGTHS)
def test_the_first_character_behind_a_place_is_found(lengths: list[tuple[int, int, int]]) -> None:
    origins, listed, end = _written(lengths)
    for place in range(end + 1):
        assert origins.index_of(place) == next(index for index, one in enumerate(listed) if one >= place)


@given(LENGTHS, LENGTHS, st.integers(0, 9))
def test_what_was_made_of_what_was_made_is_from_the_original(
    inner: list[tuple[int, int, int]], outer: list[tuple[int, int, int]], start: int
) -> None:
    first, listed, _ = _written(inner)
    second, again, end = _written(outer)
    if end < len(listed):
        made = second.beyond(first.beyond(from_place(start)))
        assert [made[index] for index in range(len(again))] == [start + listed[place] for place in again]


@given(LENGTHS)
def test_a_part_is_from_where_the_whole_is(lengths: list[tuple[int, int, int]]) -> None:
    origins, listed, _ = _written(lengths)
    for start, place in enumerate(listed):
        assert from_place(start).beyond(origins)[0] == place
