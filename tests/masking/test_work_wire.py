"""What gateway and worker say to each other, and what is small enough to be said to nobody."""

import asyncio
import socket

import pytest
from tests.masking.conftest import KEY, rules_of

from holdfast.call import Call, Direction, Reply
from holdfast.errors import MaskingError
from holdfast.jsontext import Json
from holdfast.masking.budget import IN_PLACE, Budget
from holdfast.masking.core import Core, Task
from holdfast.masking.finder import FullFinder
from holdfast.masking.language import CutterNlpEngine
from holdfast.masking.parts import Part
from holdfast.masking.recognizers import build_recognizers
from holdfast.masking.size import CHARS_MAX, VALUES_COUNT_MAX, fits_in_place
from holdfast.masking.unscanned import LeafError
from holdfast.masking.words import Cutter
from holdfast.masking.work import child, frames, wire

SSN = "234-45-6789"


def call(text: Json) -> Call:
    return Call("tools/call", {"name": "put", "arguments": {"note": text}}, 1, Direction.TO_SERVER)


def test_what_a_worker_cannot_mask_is_said_without_its_text() -> None:
    core = Core(rules_of("version: 1\nentities: [{entity: US_SSN}]"), KEY)
    too_many = Task(call([SSN, *[None] * 100_000]), "crm")
    assert "100000" in str(child.answer(wire.dump(wire.task_to_json(too_many)), core))
    for data in (b"", b"[]", b'["call"]', b"[NaN]", b'[["call",1],"crm",null,null]', SSN.encode()):
        said = child.answer(data, core)
        assert isinstance(said, str)
        assert SSN not in said


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        [None, None],
        [None, None, [[]], []],
        [None, None, [["rule", "ENTITY", "/path", "long", 1.0, "name"]], []],
        [None, None, [], [["token", "ENTITY", "rule", 1]]],
        [["reply", 1, None, None, "to_server", {}], None, [], []],
        [["call", "ping", None, 1.5, "to_server", {}], None, [], []],
        [["call", "ping", None, 1, "nowhere", {}], None, [], []],
        [["call", "ping", None, 1, "to_server", []], None, [], []],
    ],
)
async def test_an_answer_that_is_none_is_not_believed(value: Json) -> None:
    with pytest.raises(MaskingError, match="cannot be read"):
        await wire.masked_of(value, call("x"))


@pytest.mark.parametrize(
    "value",
    [None, [], [1, "", "", [], []], [-1, "", "", [], [], 0], [9, "", "", [], [], 0], [1, None, "", [], [], 0]],
)
async def test_what_is_no_step_is_not_believed(value: Json) -> None:
    part = Part("llm", None, Direction.TO_CLIENT, "", 64, "held")
    with pytest.raises(MaskingError, match="cannot be read"):
        await wire.parted_of(value, part)


@pytest.mark.parametrize(
    "value",
    [None, "no", [], [None, []], [["reply", 1, {"\n": "\ud800"}], [[one] for one in range(2500)], [[7]], list("ab")]],
)
async def test_an_answer_is_read_as_it_was_written_however_long_it_is(value: Json) -> None:
    data = wire.dump_answer(value)
    assert await wire.load_answer(data) == value
    assert max(map(len, data.split(b"\n"))) < 8000


async def test_others_have_their_turn_while_a_long_answer_is_read() -> None:
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    beside = asyncio.create_task(other())
    await wire.load_answer(wire.dump_answer([None, [[one] for one in range(9500)]]))
    beside.cancel()
    assert turns > 9


@pytest.mark.parametrize(
    "data", [b"", b"1\n", b"2\n[2,[]]", b"2\n[-1,[]]", b"1\n[0]", b'1\n["0",[]]', b"1\n{}", b"[]\n[0,1"]
)
async def test_lines_that_are_no_answer_are_not_believed(data: bytes) -> None:
    with pytest.raises(MaskingError, match="cannot be read"):
        await wire.masked_of(await wire.load_answer(data), call("x"))


async def test_an_answer_that_leaves_something_out_is_not_believed() -> None:
    """Of a message that travels as it came nothing is said; so what was lost on the way must not look like that."""
    message = call(f"of {SSN}")
    core = Core(rules_of("version: 1\nentities: [{entity: US_SSN}]"), KEY)
    whole = wire.dump_answer(child.answer(wire.dump(wire.task_to_json(Task(message, "crm"))), core)).split(b"\n")
    assert SSN not in str((await wire.masked_of(await wire.load_answer(b"\n".join(whole)), message)).forward.to_json())
    for at in range(1, len(whole)):
        for lines in (whole[:at], [*whole[:at], *whole[at + 1 :]], [b"1000000000000", *whole[1:]]):
            with pytest.raises(MaskingError, match="cannot be read"):
                await wire.load_answer(b"\n".join(lines))


async def test_a_frame_that_says_it_is_too_long_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall((frames.FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
        ours.setblocking(False)
        with pytest.raises(EOFError):
            await frames.receive_async(ours)


@pytest.mark.parametrize(
    ("value", "is_small"),
    [
        ("x" * CHARS_MAX, True),
        ("x" * (CHARS_MAX + 1), False),
        ("é" * (CHARS_MAX // 8), True),
        ("é" * (CHARS_MAX // 4), False),
        ("a%41" * (CHARS_MAX // 8), False),
        (["x" * 100] * 200, False),
        ([0] * VALUES_COUNT_MAX, False),
        ({str(number): 0 for number in range(VALUES_COUNT_MAX)}, False),
        ({"a" * CHARS_MAX: "b"}, False),
        ([[[["x"]]]], True),
    ],
)
def test_what_fits_on_the_event_loop(value: Json, is_small: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    assert fits_in_place(Call("ping", value, 1, Direction.TO_SERVER)) is is_small
    assert fits_in_place(Reply(1, value, None, Direction.TO_SERVER)) is is_small


async def test_a_worker_knows_the_schema_and_says_what_may_come_back() -> None:
    core = Core(rules_of("version: 1\nentities: [{entity: EMAIL_ADDRESS, operator: pseudonym, restore: caller}]"), KEY)
    reply = Reply(1, {"structuredContent": {"to": "bob@example.com"}}, None, Direction.TO_CLIENT)
    task = Task(reply, "crm", schema={"properties": {"to": {"format": "email"}}})
    said = await wire.load_answer(wire.dump_answer(child.answer(wire.dump(wire.task_to_json(task)), core)))
    masked = await wire.masked_of(said, reply)
    assert [one.value for one in masked.issued][-1] == "bob@example.com"
    assert "@masked.example" in str(masked.forward.to_json())


def test_a_model_reads_no_long_text_on_the_event_loop() -> None:
    rules, cutter = rules_of("version: 1\nentities: [{entity: US_SSN}]"), Cutter(["US_SSN"])
    finder = FullFinder(build_recognizers(rules), CutterNlpEngine(cutter))
    text = f"{'word ' * 200}{SSN}"
    with pytest.raises(LeafError):
        finder.find(text, (), Budget(limits=IN_PLACE))
    assert finder.find(text, (), Budget())
    assert finder.find(SSN, (), Budget(limits=IN_PLACE))
