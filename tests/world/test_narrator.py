"""The narrator tells what came, and remembers what should not have."""

import io
from pathlib import Path

from scripts.demo_world.narrator import Narrator


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_an_expectation_that_does_not_hold_is_a_failure(tmp_path: Path) -> None:
    narrator = Narrator(tmp_path / "t.txt", io.StringIO())
    narrator.step("A call")
    narrator.expect("HTTP 401", "HTTP 401", holds=True)
    narrator.expect("HTTP 401", "HTTP 200", holds=False)
    assert narrator.failures == ["step 1: expected HTTP 401; came HTTP 200"]
    assert narrator.expectation_count == 2


def test_colours_are_for_terminals(tmp_path: Path) -> None:
    plain, terminal = io.StringIO(), Terminal()
    for out in (plain, terminal):
        Narrator(tmp_path / "t.txt", out).step("A call")
    assert "\033" not in plain.getvalue()
    assert "\033[1m1. A call" in terminal.getvalue()


def test_the_transcript_has_the_words_without_colours(tmp_path: Path) -> None:
    narrator = Narrator(tmp_path / "t.txt", Terminal())
    narrator.step("A call")
    narrator.say("It goes out.")
    assert (tmp_path / "t.txt").read_text("utf-8") == "\n1. A call\n   It goes out.\n"


def test_a_long_text_is_cut_and_says_so(tmp_path: Path) -> None:
    out = io.StringIO()
    Narrator(tmp_path / "t.txt", out).show("\n".join("abcdef"), lines_max=4)
    assert out.getvalue().endswith("| d\n   | … 2 more lines\n")
