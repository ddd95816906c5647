"""What masking does on the event loop is counted as it goes, and what is too much for it goes elsewhere or waits."""

from pathlib import Path

import pytest
from tests.live.harness.warm import KEPT, core_of
from tests.masking.conftest import KEY, rules_of
from tests.masking.differential import shipped
from tests.masking.pools import RULES, SSN, world_of

from holdfast import jsontext
from holdfast.call import Call, Direction, Reply
from holdfast.errors import MaskingError
from holdfast.jsontext import Json
from holdfast.masking.approx import approximation_of
from holdfast.masking.budget import IN_PLACE, RESULT_CHARS, WHOLE, Budget
from holdfast.masking.core import Core, Task
from holdfast.masking.entries import MaskingRules
from holdfast.masking.finder import DirectFinder
from holdfast.masking.prefilter import build_prefilter
from holdfast.masking.recognizers import build_recognizers
from holdfast.masking.seams import Begun, Ends, Neighbours
from holdfast.masking.size import fits
from holdfast.masking.unscanned import LeafError
from holdfast.masking.words import Cutter
from holdfast.masking.work.seams import ends_of, ends_to_json, seam_of, seam_to_json
from holdfast.masking.work.worker import Nursery
from holdfast.sse import Event
from holdfast.window import LOOKS_COUNT_MAX, Window, waiting_of

# Texts that are full of findings, and how many of these 4,000 characters have.
DENSE = {
    "born 1.1.2000 ": 285,
    "bob@example.com ": 250,
    "10.20.30.40 ": 333,
    "219-12-3456 ": 333,
    "cvv 123 ": 500,
    "password: x1y2 ": 266,
}


class Looks:
    """A clock that stands still and counts how often it is looked at."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> float:
        self.count += 1
        return 0.0


@pytest.fixture(scope="module")
def core() -> Core:
    return core_of(shipped(), KEY)


@pytest.fixture(scope="module")
def rules() -> MaskingRules:
    return rules_of(RULES)


@pytest.mark.parametrize("again", DENSE)
def test_the_clock_is_looked_at_while_many_findings_are_judged_and_masked(core: Core, again: str) -> None:
    text = (again * 4000)[:4000]
    looks = Looks()
    reply = Reply(1, {"content": [{"type": "text", "text": text}]}, None, Direction.TO_CLIENT)
    masked = core.mask(Task(reply, "crm"), Budget(looks, IN_PLACE))
    assert len(masked.findings) >= DENSE[again]
    # Each is judged, turned into a span and masked, once at least.
    assert looks.count > 3 * len(masked.findings) * RESULT_CHARS / (2 * IN_PLACE.chars_unchecked)
    plain = Looks()
    core.mask(Task(Reply(1, {"text": "only words " * 360}, None, Direction.TO_CLIENT), "crm"), Budget(plain, IN_PLACE))
    assert plain.count < looks.count / 2


def test_every_look_at_a_candidate_for_a_telephone_number_is_counted() -> None:
    finder = DirectFinder(build_recognizers(shipped()), Cutter([]), automata=KEPT)
    looks = Looks()
    finder.find("1 - " * 1000, (), Budget(looks, IN_PLACE))
    first = looks.count
    finder.find(" ".join(f"{number} - 1" for number in range(1000)), (), Budget(looks, IN_PLACE))
    assert first >= 2
    assert looks.count > 3 * first  # where no candidate is like another, each is tried


def test_a_text_with_more_places_to_look_at_than_the_loop_has_time_for_is_left_to_others() -> None:
    dense = approximation_of(r"\d-\d", 0)
    assert dense is not None
    prefilter, _ = build_prefilter((dense,), "hyperscan")
    for texts in (["1-1-" * 200], ["1-1-" * 200, "1-1"]):
        assert len(prefilter.scan(texts, 1000)) == len(texts)
        with pytest.raises(LeafError):
            prefilter.scan(texts, 100)
        assert len(prefilter.scan(texts)) == len(texts)
    finder = DirectFinder(build_recognizers(shipped()), Cutter([]), automata=KEPT)
    digits = "1" * 16_000
    with pytest.raises(LeafError):
        finder.find(digits, (), Budget(lambda: 0.0, IN_PLACE))
    finder.find(digits, (), Budget(lambda: 0.0, WHOLE))


def test_time_counts_from_the_beginning_where_there_is_little() -> None:
    times = iter([1.0, 1.02])
    budget = Budget(lambda: next(times), IN_PLACE)
    with pytest.raises(MaskingError):
        budget.look()


FITS = {
    "x" * 16_000: True,
    "x " * 7_000 + "100%": True,
    "%34" * 500: True,
    "%34" * 1000: False,
    "\\u0034" * 600: False,
    "a&b " * 1000: False,
    "\u4e00" * 2000: True,
    "\u4e00" * 2100: False,
    "\x00" * 2100: False,
    "a\nb\t" * 3000: True,
}


@pytest.mark.parametrize("text", FITS, ids=range(len(FITS)))
def test_what_has_many_spellings_counts_as_a_longer_text(text: str) -> None:
    assert fits(text) == FITS[text]


@pytest.mark.parametrize("text", ["{}" * 3000, "[" + "[]," * 3000 + "[]]", '{"a":[' + "1," * 3000 + "1]}"])
def test_json_of_too_many_values_inside_a_text_is_not_even_read_on_the_loop(core: Core, text: str) -> None:
    reply = Reply(1, {"content": [{"type": "text", "text": text}]}, None, Direction.TO_CLIENT)
    with pytest.raises(LeafError):
        core.mask(Task(reply, "crm"), Budget(lambda: 0.0, IN_PLACE))
    assert core.mask(Task(reply, "crm"), Budget()).forward == reply


BEGUN = Begun("IP_ADDRESS", "10.20.", 3)
ENDS = [
    Ends("crm", Direction.TO_CLIENT, "/params/data", "45-6789 and so on", Neighbours("the ssn 234-", "more")),
    Ends("crm", Direction.TO_CLIENT, "/params/data", "45-6789", Neighbours("234-", is_masked=True)),
    Ends("crm", Direction.TO_CLIENT, "/params/data", " at 10.20.", Neighbours("x", "30.40 ok", begun=BEGUN)),
    Ends("crm", Direction.TO_SERVER, "/params/data", f"{SSN} \ud800 is whole", Neighbours()),
]


@pytest.mark.parametrize("ends", ENDS)
async def test_what_is_said_of_seams_is_read_as_it_was_written(rules: MaskingRules, ends: Ends) -> None:
    assert ends_of(ends_to_json(ends)) == ends
    seam = Core(rules, KEY).seam(ends, Budget())
    assert await seam_of(seam_to_json(seam)) == seam


async def test_anything_else_that_is_said_of_seams_is_refused() -> None:
    assert ends_of(["part", 1]) is None
    said = seam_to_json(Core(rules_of(RULES), KEY).seam(ENDS[0], Budget()))
    assert isinstance(said, list)
    answers: list[Json] = [None, [], said[:-1], ["x", 1, *said[2:]], [*said[:2], ["x", "y", 1, None], *said[3:]]]
    for answer in answers:
        with pytest.raises(MaskingError):
            await seam_of(answer)
    tasks: list[Json] = [
        ["seam", "crm", "up", "/", "x", ["", "", False, None]],
        ["seam", "crm", "to_client", "/", "x", ["", ""]],
        ["seam", "crm", "to_client", "/", "x", ["", "", False, ["A"]]],
    ]
    for task in tasks:
        with pytest.raises(MaskingError):
            ends_of(task)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the tests look at processes in /proc")
async def test_seams_that_are_too_much_for_the_loop_are_masked_by_a_worker(
    rules: MaskingRules, nursery: Nursery
) -> None:
    world = await world_of(rules, nursery=nursery)
    worker = world.pool._idle[-1]
    short, beside = "45-6789 and so on", Neighbours("the ssn 234-")
    await world.masker.seam("/params/data", short, beside, Direction.TO_CLIENT, server="crm")
    assert worker.tasks_count == 0
    long = "45-6789 and so on" + "\u4e00" * 4000
    seam = await world.masker.seam("/params/data", long, beside, Direction.TO_CLIENT, server="crm")
    assert worker.tasks_count == 1
    assert seam == Core(rules, KEY).seam(Ends("crm", Direction.TO_CLIENT, "/params/data", long, beside), Budget())
    assert "6789" not in seam.forward
    world.end()


async def test_of_an_end_that_is_too_much_for_the_loop_nothing_is_said_to_be_found(
    rules: MaskingRules, nursery: Nursery
) -> None:
    world = await world_of(rules, nursery=nursery)
    masker = world.masker
    text = f"the ssn {SSN}"
    assert masker.is_found("/params/data", text, 8, Direction.TO_CLIENT, server="crm")
    hard = "\u4e00" * 4000 + text
    assert not masker.is_found("/params/data", hard, len(hard) - len(SSN), Direction.TO_CLIENT, server="crm")
    world.end()


def test_few_ends_of_texts_are_looked_at_in_one_go_and_the_others_wait() -> None:
    looked: list[str] = []

    def is_found(_path: str, text: str, _start: int) -> bool:
        looked.append(text)
        return True

    window = Window(64, is_found)
    for number in range(3 * LOOKS_COUNT_MAX):
        params: jsontext.JsonObject = {"level": "info", "logger": f"l{number}", "data": "card 4111 1111 1111 1111"}
        call = Call("notifications/message", params, None, Direction.TO_CLIENT)
        window.add(waiting_of(Event(jsontext.wire(call.to_json()).decode()), 1))
    assert window.ready(0) == LOOKS_COUNT_MAX
    assert len(looked) == LOOKS_COUNT_MAX
    assert window.ready(1) == 3 * LOOKS_COUNT_MAX
