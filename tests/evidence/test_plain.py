import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.evidence.tables.plain import cell, csv_bytes, visible_lines


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_no_cell(text: str) -> None:
    assert cell(text).startswith("'")


def test_numbers_stay_numbers() -> None:
    assert [cell(-3), cell(0), cell(None), cell("42")] == ["-3", "0", "", "42"]


@given(st.lists(st.text(), min_size=1, max_size=4))
def test_any_text_is_one_inert_cell_on_one_line(texts: list[str]) -> None:
    data = csv_bytes(["head"], [texts]).decode("utf-8")
    rows = list(csv.reader(io.StringIO(data, newline=""), strict=True))
    assert rows == [["head"], [cell(text) for text in texts]]
    assert data.count("\n") == 2
    assert all(not value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in rows[1])


def test_hidden_characters_are_spelled_out() -> None:
    assert cell("a\u202eb\x00\x1b[2J\u200b") == "a⟨U+202E⟩b⟨U+0000⟩⟨U+001B⟩[2J⟨U+200B⟩"
    assert visible_lines("one\r\n\ttwo\u2028") == "one⟨U+000D⟩\n\ttwo⟨U+2028⟩"
