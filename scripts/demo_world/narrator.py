"""Tells what happens, line by line: what was expected, what came, and whether that is the same."""

import shutil
import sys
import textwrap
from pathlib import Path
from typing import Final, TextIO

_WIDTH_MAX: Final = 118
_GREEN, _RED, _BOLD, _DIM, _OFF = "\033[32m", "\033[31m", "\033[1m", "\033[2m", "\033[0m"


class Narrator:
    """Prints to ``out``, in colours where that is a terminal, and keeps the same words in a file."""

    def __init__(self, transcript: Path, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._colours = out.isatty()
        self._width = min(_WIDTH_MAX, shutil.get_terminal_size((_WIDTH_MAX, 24)).columns)
        self._transcript = transcript
        self._transcript.write_text("", encoding="utf-8")
        self._step_count = 0
        self.failures: list[str] = []
        self.expectation_count = 0

    def step(self, title: str) -> None:
        """Begin a numbered step."""
        self._step_count += 1
        self._line("")
        self._line(f"{self._step_count}. {title}", _BOLD)

    def say(self, sentence: str) -> None:
        """A sentence under the step."""
        for line in textwrap.wrap(sentence, self._width - 3) or [""]:
            self._line(f"   {line}")

    def show(self, text: str, lines_max: int = 24) -> None:
        """Show a text as it is, indented and dimmed, cut after ``lines_max`` lines."""
        lines = text.splitlines()
        for line in lines[:lines_max]:
            shown = line if len(line) <= self._width - 5 else line[: self._width - 6] + "…"
            self._line(f"   | {shown}", _DIM)
        if len(lines) > lines_max:
            self._line(f"   | … {len(lines) - lines_max} more lines", _DIM)

    def expect(self, expected: str, came: str, *, holds: bool) -> None:
        """Say what was expected and what came; a difference makes the demo fail."""
        self.expectation_count += 1
        self.say(f"expected: {expected}")
        self.say(f"came:     {came}")
        if holds:
            self._line("   as expected", _GREEN)
        else:
            self._line("   NOT AS EXPECTED", _RED)
            self.failures.append(f"step {self._step_count}: expected {expected}; came {came}")

    def _line(self, text: str, colour: str = "") -> None:
        coloured = f"{colour}{text}{_OFF}" if colour and self._colours else text
        print(coloured, file=self._out, flush=True)
        with self._transcript.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
