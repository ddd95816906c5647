"""What a prefilter says of a text is never less than the truth, whatever letters the patterns are of."""

import random

import pytest
import regex  # type: ignore[import-untyped] # it ships no types
from tests.live.harness.warm import scanner_of
from tests.masking.conftest import KEY

from holdfast.masking.approx import approximation_of
from holdfast.masking.budget import Budget
from holdfast.masking.entries import MaskingRules
from holdfast.masking.finder import DirectFinder
from holdfast.masking.prefilter import ENGINES, build_prefilter
from holdfast.masking.recognizers import PatternRecognizer
from holdfast.masking.search import Search
from holdfast.masking.view import View
from holdfast.masking.words import Cutter

FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
PATTERNS = [
    (r"(?<!\w)(?:Weiß|Tom)(?!\w)", "to Tom now"),
    (r"(?<!\w)(?:café|Tom)(?!\w)", "to Tom now"),
    (r"(?<!\w)(?:Projekt\ Grün|Strauß|Otter)(?!\w)", "about Otter now"),
    (r"(?:größe|weiß|size)\d", "size5"),
    (r"(?:größe|weiß|size)\d", "größe5"),
    (r"stra(?:ss|ß)e", "strasse"),
    (r"stra(?:ss|ß)e", "straße"),
    (r"é?x\d{3}", "x123"),
    (r"(?<=[éè])\d{3}|\d{4}", "1234"),
    (r"\d[^\x00-\x7f]", "a 4ü"),
    (r"\d[^\x00-\x7f]", "a 4u"),
    (r"(?:ü|\d{2})(?=[ö;])", "12;"),
    (r"[漢字]+|\bkanji\b", "kanji"),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("pattern", "text"), PATTERNS)
def test_a_pattern_of_letters_beyond_ascii_is_found_in_every_text(engine: str, pattern: str, text: str) -> None:
    expected = [match.span() for match in regex.finditer(pattern, text, flags=FLAGS)]
    for others in ((), ("Otter|Weiß", r"\d{3}ö")):
        recognizers = [PatternRecognizer(f"p{at}", "X", one, 0.6) for at, one in enumerate((pattern, *others))]
        for recognizer in recognizers:
            recognizer.score_thresholds, recognizer.context = {"X": 0.4}, []
        finder = DirectFinder(tuple(recognizers), Cutter(["X"]), engine)
        found = [(one.start, one.end) for one in finder.find(text, (), Budget())]
        assert set(expected) <= set(found), (pattern, text)


# Long numbers are told at their end, far from a match that began them, from what it looks for, and from the next text.
ENDS = [
    (r"\d{2}-\d{4}", ["12-3456" + "7" * 900]),
    (r"(?=\d{1,3}x\d{8})\d{3}", ["123x" + "1" * 100]),
    (r"\d{3}(?=x\d{8})", ["123x" + "1" * 100]),
    (r"(?=(?:[ ()]{0,2}\d){7})\(?\d{2,4}", ["(12) 345678" + " 9" * 400]),
    (r"\b\d{2}\s\d{3}\b", ["12 345\t", "1 2 3"]),
    (r"\d{2}\n\d{4}", ["12\n3456\n789" + "\n1" * 90, "12"]),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("pattern", "texts"), ENDS)
def test_what_begins_or_stands_before_a_long_number_is_found(engine: str, pattern: str, texts: list[str]) -> None:
    recognizer = PatternRecognizer("p", "X", pattern, 0.6)
    recognizer.score_thresholds, recognizer.context = {"X": 0.4}, []
    finder, budget = DirectFinder((recognizer,), Cutter(["X"]), engine), Budget()
    finder.expect(texts, budget)
    for text in texts:
        expected = {match.span() for match in regex.finditer(pattern, text, flags=FLAGS)}
        assert expected <= {(one.start, one.end) for one in finder.find(text, (), budget)}, text


@pytest.mark.parametrize("text", ["password: " * 3000, "4111 1111 " * 40, "+1 212 555 2368", "x" * 900, "1:2;" * 500])
def test_of_texts_together_no_less_is_said_and_of_what_is_all_over_one_no_more(
    shipped_rules: MaskingRules, text: str
) -> None:
    prefilter = scanner_of(shipped_rules, KEY).finder._prefilter  # type: ignore[attr-defined]
    texts = ["bob@example.com", text, "", "card 4111", "nothing " * 40]
    for one, together in zip(texts, prefilter.scan(texts), strict=True):
        (alone,) = prefilter.scan([one])
        for number, ends in alone.items():
            assert together[number] == [] or set(ends) <= set(together[number])
        # Each place is looked at, so there may not be as many as there are characters.
        assert all(len(ends) <= 64 + len(one) // 32 for ends in together.values())


# What looks far ahead, and what may be long.
FAR = [
    r"key[ :]{1,3}(?=[\w \n]{0,200}\d)\w{2,20}",
    r"key(?![^@]{0,120}@)\s\w{2}",
    r"key\s[\w \n]{5,900}end",
    r"(?=key.{0,700}stop)key\s\w",
    r"(?<!ab )key[^@]{0,600}?stop(?=.{0,90}12)",
]


@pytest.mark.parametrize("pattern", FAR)
def test_a_pattern_that_sees_far_is_searched_around_its_hits_alone(pattern: str) -> None:
    compiled = regex.compile(pattern, FLAGS)
    search = Search(compiled)
    assert search.approximation is not None
    prefilter, (search.filter,) = build_prefilter((search.approximation,), "hyperscan")
    dice = random.Random(pattern)
    for _ in range(60):
        words = dice.choices(["key", "end", "stop", "@", "12", "ab", "\n", "ä"], [2, 2, 2, 1, 3, 30, 9, 1], k=1500)
        text = " ".join(words)
        (hits,) = prefilter.scan([text])
        expected = [match.span() for match in compiled.finditer(text)]
        assert search.spans(View(text), hits, Budget()) == expected
    text = "ab " * 9000 + "key ab stop 12 end" + " ab" * 9000
    spent = Counted()
    (hits,) = prefilter.scan([text])
    search.spans(View(text), hits, spent)
    assert 0 < spent.chars < len(text) / 4


class Counted(Budget):
    """Counts the characters that are searched."""

    __slots__ = ("chars",)

    def __init__(self) -> None:
        super().__init__()
        self.chars = 0

    def spend(self, chars: int) -> None:
        self.chars += chars


@pytest.mark.parametrize(
    "pattern",
    [r"tel (?:\d{4,9}|\+\d{2}(?: \d{1,4}){1,5})", r"id:(?:[a-f]{3}\d{2,8}|\(\d{1,9}\)|x\d+)", r"(?:ab\d{2,}|ac\d+z?)"],
)
def test_a_match_is_told_once_though_it_may_go_on_in_many_ways(pattern: str) -> None:
    approximation = approximation_of(pattern, FLAGS)
    assert approximation is not None
    prefilter, (number,) = build_prefilter((approximation,), "hyperscan")
    for text in ("tel 0440053207", "tel +12 3456 7", "id:abc12345678", "id:(1234)", "id:x12345", "ab12345", "ac1234z"):
        (hits,) = prefilter.scan([text])
        match = regex.search(pattern, text)
        assert hits is not None
        if match is not None:
            assert len(hits[number]) == 1
            assert match.start() < hits[number][0] <= match.end()


def test_an_approximation_never_has_an_empty_set() -> None:
    for pattern, _ in PATTERNS:
        approximation = approximation_of(pattern, FLAGS)
        assert approximation is None or "[]" not in approximation.ascii + approximation.wide


def test_groups_of_one_name_are_read_and_what_refers_to_one_is_not() -> None:
    for pattern, texts in (
        (r"(?:ab(?P<value>\d{3})|cd(?P<value>[x(?P<value>]{3}))z", ("ab123z", "cdxxxz")),
        (r"(?P<value>a\d)b|c(?P<value>\d\(?P)", ("a1b", "c1(P")),
    ):
        found = approximation_of(pattern, FLAGS)
        assert found is not None
        assert all(regex.search(found.ascii, text.lower()) for text in texts)
    assert approximation_of(r"(?P<value>a)\d|(?P<value>b)(?P=value)", FLAGS) is None


@pytest.mark.parametrize("end", ["", " \u00e9"])
@pytest.mark.parametrize(
    "pattern",
    [r"(?<![\w+/=-])[\w+/]{40}(?!\w)", r"(?<![\w.+-])(?=\d{0,6}-|\d{9})\d{7,}", r"(?:(?<![^\s(])k|(?<!\w)q)\w{9}"],
)
def test_what_must_not_stand_before_a_match_is_told(pattern: str, end: str) -> None:
    approximation = Search(regex.compile(pattern, FLAGS)).approximation
    assert approximation is not None
    prefilter, _ = build_prefilter((approximation,), "hyperscan")
    (all_over, beside) = prefilter.scan(["-" + "7k7q" * 200 + end, ")k777777777q777777777" + end])
    for hits in (all_over, beside):
        assert hits is not None
        assert 0 not in hits or len(hits[0]) == 1  # none stands for a text that is full of them
    matching = "k777777777" if "k" in pattern else "7" * 40
    (hits,) = prefilter.scan([matching + end])
    assert (hits or {}).get(0)
