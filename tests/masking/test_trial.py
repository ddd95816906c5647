"""A Hyperscan that loses matches is not used; the one that is locked finds those that others lost."""

import random
import re
from pathlib import Path

import pytest
import regex  # type: ignore[import-untyped] # it ships no types

from holdfast.masking import hyper, processor
from holdfast.masking.approx import approximation_of
from holdfast.masking.budget import Budget
from holdfast.masking.prefilter import ENGINES, build_prefilter
from holdfast.masking.search import Search
from holdfast.masking.trial import TRIED, is_sound
from holdfast.masking.view import View

FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
# Own rules, and what they find: vectorscan 5.4.12 loses it, alone in its database and behind enough other text.
LOST = {
    r"[$\u20ac]\s*\d+(?:\.\d\d)?": "$1",
    r"1[0-9]\b": "12",
    r"[(\[]\d\b": "(1",
    r"[=:]\s*K": ":K",
    r"[a-f0-9]:+\s": "a: ",
    r"[:=]\s*#*#": "=#",
}


def test_the_library_that_is_installed_finds_what_others_lose() -> None:
    assert is_sound()


@pytest.mark.parametrize(("expression", "data", "end"), TRIED)
def test_what_it_is_tried_with_matches_once(expression: str, data: bytes, end: int) -> None:
    assert [match.end() for match in re.finditer(expression.encode(), data)] == [end]
    assert len(data) > 16


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pattern", LOST)
def test_an_own_pattern_alone_loses_nothing(engine: str, pattern: str) -> None:
    compiled = regex.compile(pattern, FLAGS)
    search = Search(compiled)
    approximation = approximation_of(pattern, FLAGS)
    assert approximation is not None
    prefilter, known = build_prefilter((approximation,), engine)
    search.filter = 0 if 0 in known else None
    dice = random.Random(pattern)
    for length in range(120):
        before = "".join(dice.choices(["words ", "go ", "with ", "see "], k=40))[:length]
        for behind in ("", " and more", " words " * 30):
            text = f"{before} {LOST[pattern]}{behind}"
            expected = [match.span() for match in compiled.finditer(text)]
            assert expected
            (hits,) = prefilter.scan([text])
            assert search.spans(View(text), hits, Budget()) == expected, text


# Each with texts that match it.
PIECES: list[tuple[str, list[str]]] = [
    ("[=:]", ["=", ":"]),
    ("[^k]", ["a", "1", " "]),
    (r"\W", [":", " ", "-"]),
    (r"\b", [""]),
    (r"\s*", ["", " ", "  "]),
    (r"\s?", ["", " "]),
    ("[a-f0-9]", ["a", "1"]),
    ("[a-f]+", ["a", "fa"]),
    (r"\d", ["1", "7"]),
    (r"\d{2,4}", ["12", "1234"]),
    ("k", ["k", "K"]),
    ("k1", ["k1", "K1"]),
    ("#*", ["", "#"]),
    ("(?:-|k)", ["-", "k"]),
    (r"[(\[]", ["(", "["]),
    (r"(?!\w)", [""]),
]


def test_of_own_patterns_drawn_at_random_none_loses_a_match() -> None:
    dice = random.Random(21)
    tried = 0
    for _ in range(600):
        pieces = dice.choices(PIECES, k=dice.choice([2, 3, 4]))
        pattern = "".join(piece for piece, _ in pieces)
        approximation = approximation_of(pattern, FLAGS)
        compiled = regex.compile(pattern, FLAGS)
        if approximation is None or compiled.search(""):
            continue
        search = Search(compiled)
        prefilter, known = build_prefilter((approximation,), "hyperscan")
        search.filter = 0 if 0 in known else None
        for _ in range(12):
            value = "".join(dice.choice(texts) for _, texts in pieces)
            text = dice.choice(["see", "go with", ""]) + " " * dice.randrange(40) + value + dice.choice(["", "", " on"])
            (hits,) = prefilter.scan([text])
            expected = [match.span() for match in compiled.finditer(text)]
            assert search.spans(View(text), hits, Budget()) == expected, (pattern, text)
            tried += len(expected)
    assert tried > 3000


def test_a_library_that_loses_matches_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hyper, "is_sound", lambda: False)
    approximation = approximation_of(r"\d\d-\d\d", FLAGS)
    assert approximation is not None
    hyper.build.cache_clear()
    prefilter, _ = build_prefilter((approximation,))
    assert prefilter.name == "re2"
    with pytest.raises(ImportError, match=r"loses matches; install the version that requirements.lock names"):
        build_prefilter((approximation,), "hyperscan")


@pytest.mark.parametrize(
    ("machine", "about", "expected"),
    [
        ("x86_64", "processor\t: 0\nflags\t\t: fpu sse4_2 avx avx2 bmi1 bmi2\nflags\t\t: fpu\n", "hyperscan"),
        ("x86_64", "processor\t: 0\nflags\t\t: fpu sse4_2 avx avx2 bmi1\n", "re2"),
        ("AMD64", "flags: fpu bmi2 avx\n", "re2"),
        ("x86_64", "", "re2"),
        ("x86_64", None, "re2"),
        ("aarch64", "Features\t: fp asimd\n", "hyperscan"),
        ("arm64", None, "hyperscan"),
    ],
)
def test_a_processor_that_could_not_run_it_is_not_given_it(
    machine: str, about: str | None, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "cpuinfo"
    if about is not None:
        path.write_text(about)
    monkeypatch.setattr(processor, "_ABOUT", path)
    monkeypatch.setattr("platform.machine", lambda: machine)
    approximation = approximation_of(r"\d\d-\d\d", FLAGS)
    assert approximation is not None
    assert build_prefilter((approximation,))[0].name == expected
