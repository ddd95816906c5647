"""The gateway's way finds what Presidio finds, whichever engine looks ahead. `make differential` tries more."""

import importlib
import itertools
import random
import re
import subprocess
import sys
from typing import Any

import presidio_analyzer.predefined_recognizers as presidio
import pytest
import regex  # type: ignore[import-untyped] # it ships no types
from tests.live.harness.warm import KEPT, OTHERS
from tests.masking.differential import RULES, Sides
from tests.masking.differing_texts import texts
from tests.repo.tree import ROOT

from holdfast.masking.approx import approximation_of, to_end_of_run
from holdfast.masking.budget import Budget
from holdfast.masking.emails import email_search
from holdfast.masking.nodes import REPEATS_MAX
from holdfast.masking.prefilter import ENGINES, build_prefilter
from holdfast.masking.search import Search
from holdfast.masking.urls import url_search
from holdfast.masking.view import View

FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
COUNTS = {"shipped": 600, "defaults": 600, "catalogue": 900}
HOSTS = [
    *(
        "www.",
        "www1.",
        "www\u0663.",
        "www12\u0664.",
        "www\u06641.",
        "www\u066412.",
        "www\u0664123.",
        "WWW.",
        "http://",
        "https://",
        "http\u017f://",
        '"',
        "'",
        "/",
        " ",
    ),
    *(".", "com", ".com", ".co", ".company", ".de", "a", "b-", "-", ".io", "xxxxx", "@", "a@b.co", "\u212a", "\u017f"),
    *("\u00e9", "\u0130", "\u0131", "3", "/path?q=1", "(", "<", "www", "_", ".js", ".j\u017f", "+", "\n", "\u00a0"),
]
PATTERNS = [
    *(r"\b[0-9]{3}-[0-9]{2}\b", r"(?<![\w.-])\d(?:[\s./_-]{0,3}\d){3,6}(?!\w)", r"k\d+$", r"(?<=:)\d+(?=@)"),
    *(r"(?<=//)\w+:", r"\d{2}(?=[a-z]*;)", r"\b(\d)[:-](?:\d\1)+", r"[^0-9]\d", r"\d(?!\d{0,3}@)", r"(?:k@|s:)[a-z]*"),
    *(r"(?>\d+)\b", r"\d{2}(?:x|\d\b)?", r"@{1,3}(?!.{3}9)", r"(?:a|ab|abc)\d", r"x?@[.:]", r"(a)?\d(?(1)b|c)"),
    *(r"\W\d\s", r"[^\w]k[\d_]", r"\d{1,2}(?: ?(?:office|fax)\b)?(?=[ ]?(?:office|fax)\b)", r"\Bk\d"),
    r"(?:\d|k){2}(?:-\d){0,9}z",
    *(r"(?=(?:[-/]?\d){3})\d{1,2}", r"(?=.{2}k)(?=\d-\d)[\d/-]{1,9}", r"(?<=:)(?=\d{3})\w", r"\b[a-z]{1,3}\d\b"),
    *(r"(?:k\d|\d{2}|z)\b", r"\b(?:\d|k)z", r"\b[k9]\b", r"(?<!\w)\w{2}(?!\w)", r"\b[^\W\d]\d\b", r"\b[\dk]+-?\b"),
    *(
        r"(?<![k:-])\d{2}",
        r"(?<![^\s-])[\dk]{2,4}(?!\w)",
        r"(?:(?<!k)\d\d|(?<![-:])z)",
        r"(?<!k)(?<!:)(?=\d{2})\d[\dx]",
    ),
    *(r"(?<!\n)\d{2}", r"(?<![\s\S])k\d", r"(?<!k)(?:\d{1,3}|z)-", r"(?<![1-9])(?:0?\d{2}){1,2}", r"\b(?<!-)k?\d\d"),
    *(r"(?:(?<!-)[\dz]){2}-", r"(?<!-)(?:(?<!k)\d|z)\d"),
    *(r"(?:k|(?<!-))\d\d", r"(?:k|(?<!-)z?)+\d\d", r"(?<=:)(?<!-:)\d(?<!0)", r"(?<![k\u00e9])[\d\u00e9]{2}"),
]
ENDS = ["\u0661", "\u212a7", "\u017f:", "\u00e9 12", "\ud800", " office", "\u212a", "\u20ac", "\u00e9"]
URLS: Any = presidio.UrlRecognizer()
EMAILS: Any = presidio.EmailRecognizer()


@pytest.mark.parametrize("name", list(COUNTS))
def test_every_engine_finds_what_presidio_finds(name: str) -> None:
    sides = Sides(RULES[name](), automata=KEPT if name == "shipped" else OTHERS)
    made = texts(4)  # the same texts on every run
    for _ in range(COUNTS[name] // 6):
        batch = list(itertools.islice(made, 6))
        beside = [text for _, text, _ in batch]
        for _, text, context in batch:
            assert sides.mismatches(text, context, beside) == []
    dotless = ("Sbj8\u0131t", "S1234\u013167%", "bank \u01312026-11")  # that i is a letter where a pattern says I
    for text in dotless:
        assert sides.mismatches(text, (), ()) == []
    assert sides.findings_count > COUNTS[name] // 3


def test_urls_and_addresses_found_in_linear_time_are_those_that_the_expressions_find() -> None:
    pairs = [(pattern, url_search, URLS.global_regex_flags) for pattern in URLS.patterns]
    pairs += [(pattern, email_search, EMAILS.global_regex_flags) for pattern in EMAILS.patterns]
    ways = [(regex.compile(pattern.regex, flags), quick(pattern.regex, flags)) for pattern, quick, flags in pairs]
    assert len(ways) == 5
    dice = random.Random(5)
    for _ in range(1500):
        text = "".join(dice.choices(HOSTS, k=dice.choice([2, 4, 8, 14])))
        for compiled, search in ways:
            assert search is not None
            expected = [match.span() for match in compiled.finditer(text)]
            assert list(search.spans(View(text), None, Budget())) == expected, text


@pytest.mark.parametrize("length", [252, 253, 254, 260])
def test_a_host_is_as_long_as_the_expression_has_it(length: int) -> None:
    for pattern in URLS.patterns:
        compiled = regex.compile(pattern.regex, URLS.global_regex_flags)
        search = url_search(pattern.regex, URLS.global_regex_flags)
        assert search is not None
        for text in ("b" * length + ".com", "www1." + "b" * length + ".com x", "'https://" + "b" * length + ".com'"):
            assert search.spans(View(text), None, Budget()) == [match.span() for match in compiled.finditer(text)]


def test_an_expression_that_is_written_in_another_way_is_searched_as_it_is() -> None:
    assert url_search(URLS.patterns[1].regex.replace("253", "99"), URLS.global_regex_flags) is None
    assert email_search(r"\b\w+@\w+\b", FLAGS) is None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_searched_where_an_engine_says_finds_what_it_finds_anywhere(pattern: str, engine: str) -> None:
    compiled = regex.compile(pattern, FLAGS)
    search = Search(compiled)
    assert search.approximation is not None
    prefilter, known = build_prefilter((search.approximation,), engine)
    search.filter = 0 if known else None
    dice = random.Random(pattern)
    for _ in range(60):
        made = ["".join(dice.choices("0123 a k;:@-/xbcz_\n9", k=dice.choice([3, 20, 60]))) for _ in range(4)]
        made += [dice.choice(made) + dice.choice(ENDS) for _ in range(2)]
        made += [dice.choice(ENDS).join(re.split("( )", dice.choice(made)[:20])) for _ in range(2)]
        for text, hits in zip(made, prefilter.scan(made), strict=True):
            expected = [match.span() for match in compiled.finditer(text)]
            assert search.spans(View(text), hits, Budget()) == expected, text


@pytest.mark.parametrize(
    "pattern", [r"\d*", r"(?i-s:x)\d", r"[[:digit:]]", r"\d{e<=1}", r"\w", r"(?=\d)", r"[^a]", r"\p{L}1"]
)
def test_of_what_cannot_be_told_or_says_nothing_there_is_no_approximation(pattern: str) -> None:
    assert approximation_of(pattern, FLAGS) is None


def test_a_pattern_that_an_engine_refuses_is_searched_without_it() -> None:
    large = "".join(rf"\d{{1,{REPEATS_MAX}}}[a-z]{{2,{REPEATS_MAX}}}" for _ in range(60)) + "!"
    patterns = [approximation_of(pattern, FLAGS) for pattern in (r"\d-\d", "(?:" + large + "){9}{9}", r"x\d")]
    usable = tuple(pattern for pattern in patterns if pattern is not None)
    for engine in ENGINES[:2]:
        prefilter, known = build_prefilter(usable, engine)
        (hits,) = prefilter.scan(["1-2"])
        assert hits is not None
        assert 0 in known
        assert set(hits) == {0}


def test_a_text_that_is_nothing_but_hits_is_answered_without_places() -> None:
    dense = approximation_of(r"\d-\d", FLAGS)
    assert dense is not None
    prefilter, _ = build_prefilter((dense,), "hyperscan")
    (hits,) = prefilter.scan(["1-1-" * 4000])
    assert hits == {0: []}


def test_the_end_of_a_run_is_told_once() -> None:
    known = approximation_of(r"\d(?:-?\d){2}", FLAGS)
    assert known is not None
    prefilter, _ = build_prefilter((to_end_of_run(known, frozenset(b"0123456789-")),), "hyperscan")
    texts = ["1-2-3-4 12-345", "12-", "1-2 345", "456\n", "789", "12\u06613\u00e94 1"]
    wanted = [[8, 14], [], [7], [4], [3], [7]]
    assert [hits.get(0, []) if hits else [] for hits in prefilter.scan(texts)] == wanted
    assert [hits.get(0, []) if hits else [] for text in texts for hits in prefilter.scan([text])] == wanted


def test_without_any_engine_the_pure_way_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    approximation = approximation_of(r"\d-\d", FLAGS)
    assert approximation is not None
    for name in ("hyperscan", "re2"):
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("hyper", "re2set"):
        monkeypatch.delitem(sys.modules, f"holdfast.masking.{name}", raising=False)
        monkeypatch.delattr(importlib.import_module("holdfast.masking"), name, raising=False)
    assert build_prefilter((approximation,))[0].name == "pure"
    with pytest.raises(ImportError):
        build_prefilter((approximation,), "hyperscan")


def test_the_command_compares_and_says_what_it_did() -> None:
    options = ["--seconds", "0.2", "--rules", "catalogue", "--engine", "pure", "--json"]
    command = [sys.executable, "scripts/differential.py", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"mismatches": 0' in done.stdout
    assert "catalogue: " in done.stderr
