import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.policy.names import Names, Reading, climbs, fold, fold_name

NARROW, WIDE = Reading.NARROW, Reading.WIDE


def fits(reading: Reading, glob: str, text: str) -> bool:
    return Names.of((glob,), reading).fit(text)


@pytest.mark.parametrize(
    ("glob", "text", "narrow"),
    [
        ("get_customer", "get_customer", True),
        ("get_customer", "Get_customer", False),
        ("get_customer", "get_customer ", False),
        ("get_*", "get_", True),
        ("get_*", "get_\n", True),
        ("*_x_*", "a_x_b", True),
        ("ab*ba", "aba", False),
        ("a*b*c", "abbc", True),
        ("a*b*b", "ab", False),
        ("*", "", True),
        ("a?c", "abc", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
    ],
)
def test_a_star_stands_for_anything_and_nothing_else_is_special(glob: str, text: str, narrow: bool) -> None:  # noqa: FBT001 -- a table's column
    assert fits(NARROW, glob, text) is narrow


@pytest.mark.parametrize(
    "spelling",
    [
        "Delete_Customer",
        "DELETE_CUSTOMER",
        "ｄｅｌｅｔｅ＿customer",  # noqa: RUF001 -- full width letters, on purpose
        "delete\u200b_customer",
        "delete_customer\u00ad",
        " delete_customer\n",
        "delete_\x00customer",
        "%64elete_customer",
        "%2564elete_customer",
    ],
)
def test_no_spelling_slips_by_a_rule_that_stops_or_into_one_that_allows(spelling: str) -> None:
    for glob in ("delete_*", "delete_customer", "DELETE_c*"):
        assert fits(WIDE, glob, spelling)
        assert not fits(NARROW, glob, spelling) or spelling.startswith("delete_")
    assert not fits(NARROW, "delete_customer", spelling)


@pytest.mark.parametrize(
    "uri",
    [
        "docs://a/../b",
        "docs://a/..",
        "docs://a/%2e%2e/b",
        "docs://a/%252e%252e%252fb",
        "docs://a/..%5cb",
        "docs://a\\..\\b",
        "docs://a/．．/b",  # noqa: RUF001 -- full width stops, on purpose
        "docs://a/..;/b",
        "docs://a/..?x",
        "docs://%25252525252e",
    ],
)
def test_a_star_that_allows_never_stands_for_a_path_that_climbs(uri: str) -> None:
    assert climbs(uri)
    assert not fits(NARROW, "docs://*", uri)
    assert fits(NARROW, uri, uri)
    assert fits(WIDE, "docs://*", uri)


@pytest.mark.parametrize("uri", ["docs://a/b..c", "docs://a/...", "docs://a/%20b", "v1..v2"])
def test_dots_that_do_not_climb_are_fine(uri: str) -> None:
    assert not climbs(uri)


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert fold_name(fold_name(text)) == fold_name(text)


@given(st.text(max_size=30), st.text(max_size=6))
def test_what_fits_narrowly_fits_widely(text: str, piece: str) -> None:
    for glob in (text, f"{text[:3]}*", f"*{piece}*"):
        assert fits(WIDE, glob, text) or not fits(NARROW, glob, text)


@given(st.text(alphabet="ab*", max_size=8), st.text(alphabet="ab", max_size=10))
def test_globs_agree_with_a_plain_definition(glob: str, text: str) -> None:
    def plain(pattern: str, rest: str) -> bool:
        if not pattern:
            return not rest
        if pattern[0] == "*":
            return any(plain(pattern[1:], rest[index:]) for index in range(len(rest) + 1))
        return rest[:1] == pattern[0] and plain(pattern[1:], rest[1:])

    assert fits(NARROW, glob, text) is plain(glob, text)


def test_many_stars_take_no_longer_than_few() -> None:
    started_s = time.thread_time()
    assert not fits(NARROW, "a*" * 100 + "b", "a" * 100_000)
    assert time.thread_time() - started_s < 1
