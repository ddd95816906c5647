"""Lines between bars that no header explains: a name and its value, or a row of something else."""

import pytest

from holdfast.masking.masker import Masker

ROWS = [
    ("| password | {} |", "hunter2x", "<PASSWORD>"),
    ("see:\n| password | {} |\nthat is all", "hunter2x", "<PASSWORD>"),
    ("│ token │ {} │", "zq-771-mmlo", "<API_KEY>"),
    ("| user | bob |\n| password | {} |\n| host | db1 |", "hunter2x", "<PASSWORD>"),
    ("┌──────────┬─────┐\n│ host     │ db1 │\n│ password │ {} │\n└──────────┴─────┘", "hunter2x", "<PASSWORD>"),
    ("+----------+-----+\n| user     | bob |\n| password | {} |\n+----------+-----+", "hunter2x", "<PASSWORD>"),
    ("| ssn | {} |", "234456789", "<US_SSN>"),
]  # fmt: skip
OTHERS = [
    "| password | varchar(255) |\n| token | varchar(64) |\n| ssn | char(9) |",
    "| Column | Type |\n|---|---|\n| password | varchar(255) |\n| token | text |\n| api_key | char(32) |",
    '| Option | Default | Meaning |\n| --- | --- | --- |\n| password | none | of a user |\n| token | "" | a token |',
    "| password | string |\n| token | required |\n| secret | see below |",
    "| password | sha256 |",
    "| token | uint64 |",
    "password | x2 | y\n",
]


@pytest.mark.parametrize(("text", "value", "mask"), ROWS)
def test_a_line_between_bars_is_a_name_and_its_value(masker: Masker, text: str, value: str, mask: str) -> None:
    assert masker.keep_text(text.format(value)) == text.format(mask)


@pytest.mark.parametrize("text", OTHERS)
def test_a_line_of_a_table_about_columns_or_options_holds_no_value(masker: Masker, text: str) -> None:
    assert masker.keep_text(text) == text


def test_a_table_behind_one_that_names_nothing_is_read(masker: Masker) -> None:
    text = "| a | b |\n|---|---|\n| 1 | 2 |\n\n| id | ssn |\n|---|---|\n| 1 | {} |"
    assert masker.keep_text(text.format("234456789")) == text.format("<US_SSN>")


def test_a_header_between_bars_heads_its_rows_also_where_it_looks_like_a_pair(masker: Masker) -> None:
    text = "| password | address1 |\n|---|---|\n| {} | bob |"
    assert masker.keep_text(text.format("hunter2x")) == text.format("<PASSWORD>")
