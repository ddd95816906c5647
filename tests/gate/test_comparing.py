"""Two wordings side by side: every difference is there, nothing is longer than a person reads, nothing is unseen."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast import jsontext
from holdfast.comparing import MEMBERS_COUNT_MAX, TEXT_CHARS_MAX, changed_members, compare
from holdfast.jsontext import Json

VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3))


def data(**members: Json) -> bytes:
    return jsontext.canonical(members)


def test_a_member_that_came_and_one_that_went_are_named() -> None:
    before, after = data(name="t", title="T"), data(name="t", annotations={"readOnlyHint": True})
    assert changed_members(before, after) == ("annotations", "title")
    text = compare(before, after)
    assert 'annotations, before:\n  (not there)\nannotations, now:\n  {\n    "readOnlyHint": true\n  }' in text


def test_unseen_characters_are_spelled_out() -> None:
    text = compare(data(description="add"), data(description="a\u202edd\U000e0041"))
    assert "a⟨U+202E⟩dd⟨U+E0041⟩" in text


def test_a_difference_that_a_mask_hides_is_said_to_be_one() -> None:
    assert "under a mask" in compare(data(description="<EMAIL>"), data(description="<EMAIL>"))


def test_without_the_wording_before_the_one_now_is_shown() -> None:
    assert changed_members(None, data(name="t")) == ()
    assert compare(None, data(name="t")).splitlines()[0].startswith("what it was before is not at hand")


@given(st.dictionaries(st.text(), VALUES), st.dictionaries(st.text(), VALUES))
def test_whatever_differs_is_named_and_bounded(old: dict[str, Json], new: dict[str, Json]) -> None:
    before, after = jsontext.canonical(old), jsontext.canonical(new)
    count = sum(name not in old or name not in new or old[name] != new[name] for name in {*old, *new})
    assert len(changed_members(before, after)) == min(count, MEMBERS_COUNT_MAX)
    assert compare(before, after).replace("\n", "").isprintable()


def test_a_very_long_definition_is_cut() -> None:
    after = jsontext.canonical({f"m{number}": ["line"] * 5_000 for number in range(MEMBERS_COUNT_MAX + 5)})
    assert len(compare(data(), after)) < TEXT_CHARS_MAX + 100
