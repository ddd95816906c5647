"""A long text is spelled otherwise in parts: what these show is what whole spellings show."""

import random

from tests.live.harness.warm import scanner_of

from holdfast.masking.budget import Budget
from holdfast.masking.entries import MaskingRules
from holdfast.masking.spelling import as_it_stands
from holdfast.masking.spellings import REACH_CHARS, spellings_of, whole_spellings_of

PIECES = [
    *("4111 1111 1111 1111", "bob@example.com", "+1 212 555 2368", "219-12-3456", "password: hunter2xyz", "10.0.0.1"),
    *("DE89 3704 0044 0532 0130 00", "card", "account number", "1640 ", "a.b", "-", "word " * 20, "0123456789" * 6),
]
MARKS = ["%34", "&#52;", "\\u0034", "\uff14", "\u0661", "%40", "\u200b", "\xad", "_", "&nbsp;", "%20", "\\n", "%2D"]


def long_text(dice: random.Random) -> str:
    """Values among plain words, some of them with an escape in them, and some escapes beside them."""
    parts: list[str] = []
    while sum(map(len, parts)) < 3000:
        value = dice.choice(PIECES)
        if dice.random() < 0.2:
            at = dice.randrange(len(value) + 1)
            value = value[:at] + dice.choice(MARKS) + value[at + dice.randrange(2) :]
        parts += [value, dice.choice([" ", "", ", ", "\n"]), "lorem ipsum dolor " * dice.randrange(12)]
    return "".join(parts)


def test_parts_of_spellings_show_what_whole_ones_show(shipped_rules: MaskingRules) -> None:
    scanner = scanner_of(shipped_rules)
    dice = random.Random(11)
    parted = 0
    for _ in range(60):
        text = long_text(dice)
        spelt = spellings_of(text)
        parted += any(len(other.text) < len(text) / 2 for other in spelt.others)
        found = {at for span in scanner.scan(text, (), Budget()) for at in range(span.start, span.end)}
        expected: set[int] = set()
        for whole in (as_it_stands(text), *whole_spellings_of(text)):
            for one in scanner.finder.find(whole.text, (), Budget()):
                expected.update(range(*spelt.whole(*whole.span(one.start, one.end))))
        assert expected <= found, text
    assert parted > 30


def test_a_value_far_from_what_is_spelled_otherwise_is_left_to_the_text_itself() -> None:
    text = "%34 " + "1640 " * 2000
    (part,) = spellings_of(text).others
    assert len(part.text) < 1000
    assert part.is_far(len(part.text) - 9, len(part.text), REACH_CHARS)
    assert not part.is_far(20, 29, REACH_CHARS)
    assert not part.is_far(0, len(part.text), REACH_CHARS)
