"""What makes masking quick changes no finding, and what is made to be slow is refused."""

import asyncio
import base64
import dataclasses
import random
import string
from typing import Any

import pytest
import regex  # type: ignore[import-untyped] # it ships no types
from tests.live.harness.warm import core_of, masker_of, scanner_of
from tests.masking.conftest import KEY, rules_of
from tests.masking.test_engine import SEEDS, texts

from holdfast.call import Call, Direction
from holdfast.errors import MaskingError
from holdfast.masking.budget import WHOLE, Budget
from holdfast.masking.entries import MaskingRules
from holdfast.masking.extent import extent_of
from holdfast.masking.finder import DirectFinder
from holdfast.masking.keys import KeyForces
from holdfast.masking.leaves import Leaves
from holdfast.masking.literals import lowered, words_of
from holdfast.masking.named.values import Values
from holdfast.masking.nearby import Nearby, _Words
from holdfast.masking.phones import matched
from holdfast.masking.place import Place
from holdfast.masking.prefilter import ENGINES
from holdfast.masking.recognizers import build_recognizers
from holdfast.masking.search import Search
from holdfast.masking.tools import Tools
from holdfast.masking.unscanned import LeafError
from holdfast.masking.view import View
from holdfast.masking.words import Cutter

FOREIGN = ["Пароль", "код доступа", "ΚΩΔΙΚΌς", "θέμα", "電話", "비밀번호", "كلمة السر", "סיסמה", "फ़ोन", "โทร"]
FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
ODD = "0189aZk \u212a\u017f\u0130\u0131.-:@/_\u00a0\u0664\uff14\u6f22(+)[]%$#;,=<>\n\t\x0b\x85\u2028"
WORDS = ["driver", "passport", "account", "bank", "routing", "ssn", "card", "phone", "tel", "medicare", "dea",
         "born", "password", "token", "ext", "int", "the", "of"]  # fmt: skip
PATTERNS = [
    r"\b[0-9]{3}-[0-9]{2}\b", r"(?<![\w.-])\d(?:[\s./_-]{0,3}\d){3,6}(?!\w)", r"k\d+$", r"^\d{2}", r"(?<=:)\d+(?=@)",
    r"\d{2}(?=[a-z]*;)", r"\b(\d)[:-](?:\d\1)+", r"\d+\Z", r"[^0-9]\d", r"\d(?!\d{0,3}@)", r"(?:k@|s:)[a-z]*",
    r"\d{2}(?:x|\d\b)?", r"@{1,3}(?!.{3}9)", r"(?>\d+)\b", r"\d.{0,2}\d(?!.?\d)", r"\d[\d ]{1,3}(?![\d ])",
]  # fmt: skip


def odd_texts(count: int) -> list[str]:
    dice = random.Random(7)
    made: list[str] = []
    for _ in range(count):
        parts = dice.choices([*SEEDS, *WORDS, "12", "2125552368", "3101234", "x7"], k=dice.choice([1, 2, 4, 8]))
        text = dice.choice([" ", "", ", ", "-", "\n"]).join(parts)
        if dice.random() < 0.4:
            text = "the quick order of " * dice.randrange(20) + text + " branch of region" * dice.randrange(20)
        for _ in range(dice.randrange(4)):
            at = dice.randrange(len(text) + 1)
            text = text[:at] + dice.choice(ODD) * dice.choice([1, 1, 5]) + text[at + dice.randrange(2) :]
        made.append(text)
    return made


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_search_in_windows_finds_what_one_of_the_whole_text_finds(pattern: str) -> None:
    compiled = regex.compile(pattern, FLAGS)
    search = Search(compiled)
    dice = random.Random(pattern)
    for _ in range(400):
        length = dice.choice([3, 20, 300])
        text = "".join(dice.choices("0123 a k;:@-x\n9" if dice.random() < 0.7 else ODD, k=length))
        expected = [match.span() for match in compiled.finditer(text)]
        assert search.spans(View(text), None, Budget()) == expected, text


@pytest.mark.parametrize(
    "pattern", [r"\d+(?i-s:x)", r"(?s:.)\d", r"\d{e<=1}", r"[[:digit:]]", r"(?x) \d 1", r"(?V1)\d"]
)
def test_what_cannot_be_reasoned_about_is_searched_as_a_whole(pattern: str) -> None:
    assert extent_of(pattern, FLAGS) is None


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"\b(?:AKIA|ASIA)[A-Z]{4}", {"akia", "asia"}),
        (r"gh[po]_\w+", {"ghp_", "gho_"}),
        (r"(?:key)?\d+=", set()),
        (r"(?:foo|b\d)x+", set()),
        (r"(?:foo\d|bar+)", {"foo", "ba"}),
        (r"é1", set()),
        ("(?:Пароль|電[话話])\\s", {"пароль", "電话", "電話"}),
        ("ΚΩΔΙΚΌς", {"κωδικόσ"}),
        ("(?:lösen|şifre)x", {"sen", "ifre"}),
    ],
)
def test_words_of_a_pattern(pattern: str, words: set[str]) -> None:
    assert words_of(pattern) == words


def test_lowered_text_holds_the_letters_that_a_pattern_sees() -> None:
    others = "".join(map(chr, [*range(0x80, 0xD800), *range(0xE000, 0x110000)]))
    seen = {
        char: letter
        for letter in string.ascii_letters
        for char in (*regex.findall(letter, others, FLAGS), *regex.findall(f"[{letter}]", others, FLAGS))
    }
    assert {"\u0131", "\u212a"} < seen.keys()  # the first for I and not for i
    letters = "".join(word for word in words_of(f"(?:{'|'.join(FOREIGN)})") if not word.isascii())
    for char in regex.findall(f"[{letters}]", others, FLAGS):
        seen[char] = next(letter for letter in letters if regex.fullmatch(letter, char, FLAGS))
    assert {"\u03c2", "\u03d1", "\u1c82"} < seen.keys()  # a sigma and a theta of another form, an old o
    for char, letter in seen.items():
        assert lowered(char) == letter.lower()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_pattern_of_words_in_other_letters_runs_wherever_one_of_them_is(engine: str) -> None:
    rules = rules_of(f"""
version: 1
entities: [{{entity: PASSWORD}}, {{entity: US_SSN}}]
patterns:
  - {{id: foreign, entity: PASSWORD, regex: '(?:{"|".join(FOREIGN)}):(?P<value>\\w+)', score: 1.0}}
""")
    finder = DirectFinder(build_recognizers(rules), Cutter(["PASSWORD", "US_SSN"]), engine)
    for word in FOREIGN:
        for said in (word, word.upper(), word.lower(), word.replace("\u043e", "\u1c82")):
            assert finder.find(f"a {said}:abc", (), Budget()), said
    for text in ("пароли:abc", "abc:abc", "é:abc", "電:abc"):
        assert not finder.find(text, (), Budget()), text


def test_the_words_nearby_are_those_of_the_whole_text() -> None:
    cutter = Cutter(["US_SSN"])
    for text in [*texts()[::10], *odd_texts(150), "word" * 900 + " 1", "a 1 " * 2000, "<US_SSN>٣² Ab1ÉcDE_f ①"]:
        words = cutter.words(text)
        pieces = [(start, piece) for start, piece in cutter.cut(text) if piece[0].isalnum() or piece == "<US_SSN>"]
        assert list(zip(*words, strict=True)) == pieces
        nearby, whole = Nearby(text, cutter), _Words(*words)
        for start in range(0, len(text), max(1, len(text) // 20)):
            assert nearby._before(start) == whole.before(start), (text, start)


class Ticking:
    """A clock of processor time that runs a second at every look."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        self.now_s += 1.0
        return self.now_s


def test_a_text_that_takes_too_long_is_not_vouched_for() -> None:
    with pytest.raises(LeafError, match="a text takes more than 2 s"):
        matched("1 - " * 50_000, "US", 1, Budget(Ticking()))


def test_a_message_that_takes_too_long_is_refused() -> None:
    budget = Budget(Ticking())
    with pytest.raises(MaskingError, match="the message takes more than 5 s"):
        _look_at_leaves(budget)


def _look_at_leaves(budget: Budget) -> None:
    for _ in range(10):
        budget.begin_leaf()
        budget.look()


def test_a_message_of_many_short_texts_is_refused_when_its_time_is_up(shipped_rules: MaskingRules) -> None:
    tools = Tools.of(shipped_rules, shipped_rules.in_force, scanner_of(shipped_rules, KEY), KEY)
    values = Values(KeyForces(shipped_rules, shipped_rules.in_force), tools)
    counting = Leaves(tools, values, Direction.TO_SERVER, Budget(Ticking()))
    with pytest.raises(MaskingError, match="more than 5 s"):
        _count(counting, 5000)


def _count(counting: Leaves, count: int) -> None:
    for _ in range(count):
        counting.count()


def test_a_short_message_never_asks_for_the_time() -> None:
    clock = Ticking()
    budget = Budget(clock)
    for _ in range(100):
        budget.spend(100)
    assert clock.now_s == 0


@pytest.mark.parametrize("text", ["1 - " * 3000, "1.1.1.1:" * 3000, "a1@" * 9000, "4111 " * 5000])
def test_the_budget_holds_over_the_leaves_of_a_message(text: str, shipped_rules: MaskingRules) -> None:
    limits = dataclasses.replace(WHOLE, message_s=0.0)
    walk = core_of(shipped_rules, KEY).walk("", None, Direction.TO_SERVER, Budget(limits=limits))
    with pytest.raises(MaskingError, match="more than 0 s"):
        walk.data([text + str(count) for count in range(5)], Place(""))


async def test_a_long_message_lets_others_have_their_turn_before_the_next(shipped_rules: MaskingRules) -> None:
    masker = masker_of(shipped_rules, KEY)
    turns: list[str] = []

    async def other() -> None:
        turns.append("other")

    waiting = asyncio.create_task(other())
    for call in (Call("ping", None, 1, Direction.TO_SERVER), Call("ping", {"a": [0] * 1000}, 2, Direction.TO_SERVER)):
        await masker.mask(call, server="crm")
        turns.append(str(call.id))
    await waiting
    assert turns == ["1", "other", "2"]


class CountingCutter(Cutter):
    """A cutter that counts the characters it is given."""

    chars_count = 0

    def words(self, text: str) -> tuple[list[int], list[str]]:
        self.chars_count += len(text)
        return super().words(text)


@pytest.mark.parametrize("line_pairs", [5, 40, 5000])
def test_looking_for_words_before_many_places_does_not_read_the_text_for_each(line_pairs: int) -> None:
    line = ":".join(["9a"] * line_pairs)
    text = "\n".join([line] * (30_000 // len(line) + 1))
    cutter = CountingCutter([])
    nearby = Nearby(text, cutter)
    places = range(0, len(text), 50)
    for start in places:
        nearby.has_before(start, frozenset({"card"}))
    assert cutter.chars_count < len(text) + len(places) * 2500


def test_of_a_text_of_which_another_is_kept_only_what_travels_is_made(
    shipped_rules: MaskingRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "Contact: Ada Lovelace, card 4111 1111 1111 1111, password: hunter2Blue!9"
    settle, asked = Leaves._settle, []

    def counted(self: Leaves, *of: Any) -> str:
        asked.append(of)
        return settle(self, *of)

    monkeypatch.setattr(Leaves, "_settle", counted)
    walk = core_of(shipped_rules, KEY).walk("", None, Direction.TO_CLIENT, Budget())
    at = Place("/x")
    both = walk._leaves.plain(text, at)
    assert len(asked) == 2
    assert len({text, *both}) == 3
    assert walk._leaves.plain(text, at, keeps=False)[0] == both[0]
    assert walk._leaves.plain(text, at.as_kept()) == (text, both[1])
    assert len(asked) == 4
    assert walk._leaves.plain(text, at.as_kept(), keeps=False)[0] == text
    assert len(asked) == 4
    blob = base64.b64encode(text.encode()).decode()
    walk.text(f"for {text}\n{blob}", at)  # in the blob and around it, once for what travels and once for what is kept
    assert len(asked) == 8
