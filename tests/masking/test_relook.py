"""A text that was masked is looked at once more where that can have brought something to light, and nothing is lost."""

import random
from collections.abc import Iterator

import pytest
from tests.live.harness.warm import core_of
from tests.masking.conftest import KEY, rules_of

from holdfast.call import Direction, Reply
from holdfast.masking.budget import Budget
from holdfast.masking.core import Core, Task
from holdfast.masking.entries import MaskingRules
from holdfast.masking.finding import Masked
from holdfast.masking.relook import Look, looks_near

WORDS = """
the report of our northern store shows that red paper sold better than blue ink while green chairs and oak tables
stood in a corner where nobody went before noon although music played and coffee was free
""".split()  # noqa: SIM905 -- a list of quoted words hides them
VALUES = [
    *("4111 1111 1111 1111", "4111111111111111", "078-05-1120", "bob@example.com", "+1 (212) 555-2368", "212 555 2368"),
    *("DE89370400440532013000", "10.20.30.40", "1640 1640 1640 1640", "account 123456789", "234567891", "345678912"),
    *(
        "ssn",
        "card",
        "phone",
        "AKIA2E0A8F3B244C9986",
        "%34111111111111111",
        "\uff14\uff11\uff11\uff11 1111 1111 1111",
        "4111&nbsp;1111",
    ),
    *("password: correct-horse-7", "DOB 1964-08-12", "routing 021000021", "Bearer abcdefghij0123456789"),
]
BETWEEN = [" ", " ", ", ", "", "-", "_", "\u0430", ".", "\n", " ~ ", " - " * 90, "<b>", "; and the "]
RULES = """
version: 1
entities: [{entity: NOTE}, {entity: END}, {entity: US_BANK_NUMBER}]
patterns:
  - {id: a-note, entity: NOTE, regex: 'n-\\d{3}', score: 0.9}
  - {id: an-end, entity: END, regex: '<NOTE> stop', score: 0.9}
"""


@pytest.fixture(scope="module")
def core(shipped_rules: MaskingRules) -> Core:
    return core_of(shipped_rules, KEY)


@pytest.fixture(scope="module")
def notes() -> Core:
    return Core(rules_of(RULES), KEY)


def masked(core: Core, text: str) -> Masked:
    return core.mask(Task(Reply(1, {"text": text}, None, Direction.TO_CLIENT), "crm"), Budget())


def kept(core: Core, text: str) -> str:
    keep = masked(core, text).keep
    assert isinstance(keep, Reply)
    assert isinstance(keep.result, dict)
    return str(keep.result["text"])


def searched(core: Core, text: str, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The lengths of what was searched while ``text`` was masked."""
    finder, found = core._scanner.finder, []
    find = finder.find

    def counted(text: str, context: tuple[str, ...], budget: Budget) -> list[object]:
        found.append(len(text))
        return list(find(text, context, budget))

    with monkeypatch.context() as patch:
        patch.setattr(finder, "find", counted)
        kept(core, text)
    return found


def texts(count: int, seed: int) -> Iterator[str]:
    dice = random.Random(seed)
    for _ in range(count):
        parts: list[str] = []
        for _ in range(dice.randrange(1, 9)):
            parts += [" ".join(dice.choices(WORDS, k=dice.randrange(0, 260))), " "]
            parts += [part for _ in range(dice.randrange(0, 5)) for part in (dice.choice(VALUES), dice.choice(BETWEEN))]
        yield "".join(parts)


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_masked_is_what_a_look_at_all_of_the_text_masks(
    core: Core, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text in texts(120, seed):
        near = masked(core, text)
        with monkeypatch.context() as patch:
            patch.setattr(core._scanner.finder, "is_local", False)
            core._scanner._cache.clear()
            assert masked(core, text) == near, text


def test_of_a_long_text_little_is_looked_at_again(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    text = " ".join(WORDS * 40)
    first, *again = searched(core, text + " card 4111 1111 1111 1111 " + text, monkeypatch)
    assert first > 2 * len(text)
    assert again
    assert sum(again) < 3000


def test_a_recognizer_that_may_read_all_of_a_text_does(core: Core, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core._scanner.finder, "is_local", False)
    text = " ".join([*WORDS * 40, "card 4111 1111 1111 1112 or bob@example.net"])
    first, again, *_ = searched(core, text, monkeypatch)
    assert again > first / 2


@pytest.mark.parametrize("padding", [0, 3000])
def test_what_a_mask_makes_a_value_of_is_found(notes: Core, padding: int) -> None:
    around = " ".join(WORDS * 40)[:padding]
    assert kept(notes, f"{around} n-123 stop {around}") == f"{around} <END> {around}"


@pytest.mark.parametrize("gap", [", ", " - " * 120, ", the " * 80])
def test_a_word_of_context_counts_however_far_it_is_in_characters(notes: Core, gap: str) -> None:
    text = " ".join(WORDS * 40)
    row = gap.join(["account 123456789", *(str(234567891 + 7919 * at) for at in range(40))])
    assert kept(notes, f"{text} {row} {text}").count("<US_BANK_NUMBER>") == 41


def test_what_goes_on_where_a_look_ends_is_looked_at_whole() -> None:
    core = Core(rules_of(RULES.replace("stop'", "[a-z ]{20,6000}'")), KEY)
    text = " ".join(WORDS * 12)
    assert kept(core, f"{text}. n-123 {text}. {text * 4}") == f"{text}. <END>. {text * 4}"


def test_a_look_has_words_of_context_around_what_counts_in_it() -> None:
    text = " ".join(WORDS * 40)
    places = [(len(text) // 2, len(text) // 2 + 6), (len(text) // 2 + 20, len(text) // 2 + 26)]
    looks = looks_near(text, places, str)
    assert looks is not None
    (look,) = looks
    assert look.first == places[0][0] - 64
    assert look.last > places[1][1] + 64
    assert len(text[look.start : look.first].split()) >= 12
    assert len(text[places[1][1] + 64 : look.last].split()) >= 12
    assert look.start < look.first - 400
    assert look.end > look.last + 400
    assert text[look.start] == " " == text[look.end]
    assert look.counts(look.first - 9, look.first)
    assert not look.counts(look.start, look.first - 1)
    assert look.is_cut(look.start, look.first, len(text))
    assert not Look(0, 9, 0, 9).is_cut(0, 9, 9)


@pytest.mark.parametrize("text", ["1 " * 9000, "-" * 18000, "<SSN> " * 3000])
def test_where_no_words_tell_how_far_context_reaches_all_is_looked_at(text: str) -> None:
    assert looks_near(text, [(9000, 9006)], lambda part: part.replace("<SSN>", " ")) is None
