"""A text with masks in it is looked at until nothing new is found; what is far from new masks was looked at before."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.live.harness.warm import core_of, scanner_of
from tests.masking.conftest import KEY

from holdfast.call import Direction, Reply
from holdfast.jsontext import Json
from holdfast.masking.budget import Budget, Since
from holdfast.masking.core import Core, Task
from holdfast.masking.engine import Scanner
from holdfast.masking.entries import MaskingRules
from holdfast.masking.replacing import masked_at
from holdfast.masking.spans import Span
from holdfast.masking.spelling import Near, Spelling
from holdfast.masking.spellings import BESIDE_CHARS, NEAR_CHARS, Spellings, is_near, spellings_of

WIDE_IP = "\uff11\uff19\uff10.\uff12\uff10\uff17.\uff14\uff10.\uff12\uff15"  # its digits are some to a pattern, too
PIECES = [
    *(
        "\u0430",
        "\u2121",
        "4111-",
        "123456789",
        "1234567891234567894111",
        "%",
        "+",
        "phone ",
        "0532",
        "1640 ",
        "\u53f7",
    ),
    *(f'", "ip": "{WIDE_IP}", ', "4111 1111 1111 1111", "%34%31", "10.0.0.1", "tel ", "lorem ipsum, ", "\n"),
]


def masked(text: str, core: Core) -> tuple[Json, Json, list[tuple[str, str, str, float]]]:
    """``text`` as it travels and as it is kept, and what was found in it."""
    result: Json = {"content": [{"type": "text", "text": text}]}
    done = core.mask(Task(Reply(1, result, None, Direction.TO_CLIENT), "crm"), Budget())
    assert isinstance(done.forward, Reply)
    assert isinstance(done.keep, Reply)
    findings = [(one.entity, one.rule, one.path, one.score) for one in done.findings]
    return done.forward.result, done.keep.result, findings


def looking(nears: list[Near], *, always_all: bool) -> Callable[..., Spellings]:
    def looked(text: str, near: Near = None) -> Spellings:
        nears.append(near)
        return spellings_of(text, None if always_all else near)

    return looked


def looked_at(text: str, scanner: Scanner) -> Budget:
    budget = Budget()
    budget.is_again = True
    scanner.scan(text, (), budget)
    return budget


def test_what_is_looked_at_beside_new_masks_alone_is_masked_as_if_all_were(
    shipped_rules: MaskingRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(5)
    texts = ["".join(dice.choices(PIECES, k=dice.choice([60, 200, 300]))) for _ in range(25)]
    core = core_of(shipped_rules, KEY)
    nears: list[Near] = []
    monkeypatch.setattr("holdfast.masking.engine.spellings_of", looking(nears, always_all=False))
    found = [masked(text, core) for text in texts]
    assert len([near for near in nears if near]) > 20
    monkeypatch.undo()
    core = core_of(shipped_rules, KEY)  # another, which knows nothing of them
    monkeypatch.setattr("holdfast.masking.engine.spellings_of", looking([], always_all=True))
    for text, one in zip(texts, found, strict=True):
        assert one == masked(text, core), text


def test_the_third_look_spells_a_text_only_beside_what_is_new(
    shipped_rules: MaskingRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    spelled: list[int] = []
    find_spelt = Scanner._find_spelt

    def counted(scanner: Scanner, text: str, others: Any, *args: Any) -> Any:
        spelled.append(sum(len(one.text) for one in others))
        return find_spelt(scanner, text, others, *args)

    monkeypatch.setattr(Scanner, "_find_spelt", counted)
    masked(("x%34 and others\n" * 200) + "%34%3105321640 4111 1111 1111 1111", core_of(shipped_rules, KEY))
    first, second, third = [count for count in spelled if count][:3]
    assert min(first, second) > 2500
    assert third < 1000


def test_a_finding_far_from_what_is_new_is_left_out_in_every_spelling(shipped_rules: MaskingRules) -> None:
    """Else a finding of the text would stand where one of a spelling, known to be far, would have spoken for it."""
    scanner = scanner_of(shipped_rules)
    text = f"lorem ipsum dolor {WIDE_IP}{' and so on' * 60} phone \uff10532 1234567 {'and so on ' * 20}"
    at, phone = text.index(WIDE_IP), text.index("\uff10532")
    budget = looked_at(text, scanner)
    budget.since = Since(text, ((phone - 3, phone - 1),))
    assert {span.entity for span in scanner.scan(text, (), budget)} == {"PHONE_NUMBER"}
    budget.since = Since(text, ((at + 20, at + 21),))
    assert {span.entity for span in scanner.scan(text, (), budget)} >= {"IP_ADDRESS"}


@pytest.mark.parametrize("known", ["nothing", "another text", "one of two"])
def test_where_new_masks_do_not_say_what_is_new_all_is_looked_at(shipped_rules: MaskingRules, known: str) -> None:
    """A mask may make a header of a thousand characters readable, or bring a far label nearer."""
    scanner = scanner_of(shipped_rules)
    row = f"{'and so on ' * 9} 4111 1111 1111 1111 or%20{WIDE_IP}{' and so on' * 40}\n"
    text = row * 2 + "phone and others"
    budget = looked_at(text, scanner)
    before, found = budget.seen
    assert 2 in found.values()
    if known == "nothing":
        budget.seen = (before, Counter())
    if known == "one of two":
        budget.seen = (before, Counter(found.keys()))
    budget.since = Since("" if known == "another text" else text, ((len(text) - 9, len(text) - 8),))
    assert {span.entity for span in scanner.scan(text, (), budget)} == {"CREDIT_CARD", "IP_ADDRESS"}


def test_what_is_near_is_counted_from_both_ends() -> None:
    near = ((1000, 1010), (5000, 5001))
    for start, end, expected in [
        (0, 1000 - NEAR_CHARS, True),
        (0, 999 - NEAR_CHARS, False),
        (1010 + NEAR_CHARS, 1300, True),
        (1011 + NEAR_CHARS, 1300, False),
        (1300, 4999 - NEAR_CHARS, False),
        (5001 + NEAR_CHARS, 9000, True),
        (5002 + NEAR_CHARS, 9000, False),
        (0, 9000, True),
    ]:
        assert is_near(start, end, near) is expected, (start, end)


def test_spellings_beside_what_is_new_reach_as_far_as_it_matters() -> None:
    text = "\uff14" * 5000
    near = ((1000, 1010), (1200, 1201), (4990, 5000))
    parts = spellings_of(text, near).others
    stretches = [(part.origins[0], part.origins[len(part.text)]) for part in parts]
    assert stretches == [(1000 - BESIDE_CHARS, 1201 + BESIDE_CHARS), (4990 - BESIDE_CHARS, 5000)]
    assert [len(part.text) for part in spellings_of(text, ((0, 2500),)).others] == [5000]
    assert [len(part.text) for part in spellings_of(text).others] == [5000]
    assert spellings_of("a\uff14" + "b" * 5000, ((4000, 4001),)).others == ()


def test_a_value_cut_far_from_what_is_new_has_no_other_spelling_made(
    shipped_rules: MaskingRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def spelled(text: str) -> tuple[Spelling, ...]:
        made.append(text)
        return ()

    monkeypatch.setattr("holdfast.masking.engine.whole_spellings_of", spelled)
    scanner = scanner_of(shipped_rules)
    text = "ada%40example.com " * 300
    budget = looked_at(text, scanner)
    made.clear()
    for at in range(2000, 2040):
        budget.since = Since(text, ((at, at + 1),))
        assert len(scanner.scan(text, (), budget)) < 40
    assert not made


@pytest.mark.parametrize(
    ("places", "expected", "masks"),
    [
        ([], "0123456789", ()),
        ([(0, 2), (2, 3), (5, 9)], "<US_SSN><US_SSN>34<US_SSN>9", ((0, 8), (8, 16), (18, 26))),
        ([(-3, 2), (7, 12)], "<US_SSN>23456<US_SSN>", ((0, 8), (13, 21))),
    ],
)
def test_new_masks_stand_where_it_is_told(
    places: list[tuple[int, int]], expected: str, masks: tuple[tuple[int, int], ...]
) -> None:
    spans = [Span(start, end, "US_SSN", 1.0, "", "") for start, end in places]
    told: list[str] = []
    text, found = masked_at(
        "0123456789", spans, lambda _value, entity: f"<{entity}>", lambda _span, value, _mask: told.append(value)
    )
    assert (text, found) == (expected, masks)
    assert told == ["0123456789"[max(0, start) : end] for start, end in places]
