"""Starts and stops of one process and of two, as Records and as the gaps that evidence finds between them."""

from pathlib import Path

import pytest
from tests.ledger.ledgers import bare_call, heartbeat, open_ledger

from holdfast.clock import SetClock
from holdfast.evidence.files.entry import parse_entry
from holdfast.evidence.story.gaps import GapFinder
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft
from holdfast.ledger.reader import open_reader
from holdfast.ledger.running import Runs, backwards, gateway_stopped, writer_stopped

_FOUND: JsonObject = {"gw": {"version": "1"}, "prev": {"size": 0, "root": "0" * 64}}
EXPORTED = Draft("evidence.exported", {"export": {"digest": "0" * 64, "first": 0, "size": 1}})


class Story:
    """A ledger told in words, one open (one boot) after the other, each Record ten seconds after the one before."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SetClock()
        self.runs: list[int] = []

    def opened(self, *words: str) -> "Story":
        ledger = open_ledger(self.folder, self.clock)
        for word in words:
            self.clock.advance(3600 if word.endswith("later") else 10)
            name = word.removesuffix(" later")
            ledger.append_blocking(self._draft(name))
        ledger.close()
        self.clock.advance(10)
        return self

    def _draft(self, word: str) -> Draft:
        what, _, process = word.partition(" of ")
        more: JsonObject = {"process": process} if process else {}
        match what:
            case "start" | "crashed start":
                return Draft("ledger.start", {**_FOUND, "clean": what == "start", **more})
            case "stop":
                return Draft("ledger.stop", more)
            case "call":
                return bare_call()
            case "export":
                return EXPORTED
            case _:
                return heartbeat()

    def gaps(self) -> list[tuple[str, int, int]]:
        finder = GapFinder()
        with open_reader(self.folder) as reader:
            entries = [parse_entry(index, data) for index, data in reader.records()]
        return [(gap.kind, gap.from_index, gap.to_index) for entry in entries for gap in finder.add(entry)]

    def are_clean(self) -> tuple[bool, bool]:
        with open_reader(self.folder) as reader:
            return tuple(  # type: ignore[return-value] # of two
                stopped(backwards(reader.record, reader.size())) for stopped in (gateway_stopped, writer_stopped)
            )

    def numbers(self) -> list[int]:
        runs = Runs()
        with open_reader(self.folder) as reader:
            entries = [parse_entry(index, data) for index, data in reader.records()]
        return [runs.of(one.typ, one.member("process"), one.text("boot")) for one in entries]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def test_one_process_that_stops_and_starts_leaves_the_gap_in_between(story: Story) -> None:
    story.opened("start", "call", "stop").opened("start", "call")
    assert story.gaps() == [("stopped", 3, 4)]
    assert story.are_clean()[0] is False


def test_one_process_that_dies_is_a_crash(story: Story) -> None:
    story.opened("start", "call").opened("crashed start", "call", "stop")
    assert story.gaps() == [("crashed", 2, 3)]
    assert story.are_clean()[0] is True


def test_what_an_operator_does_while_nothing_runs_neither_fills_nor_makes_a_gap(story: Story) -> None:
    story.opened("start", "call", "stop").opened("export later")
    assert story.are_clean()[0] is True
    story.opened("start", "call")
    assert story.gaps() == [("stopped", 3, 5)]


def test_what_an_operator_does_after_a_crash_does_not_hide_it(story: Story) -> None:
    story.opened("start", "call").opened("export later")
    assert story.are_clean()[0] is False
    story.opened("crashed start", "call")
    assert story.gaps() == [("crashed", 2, 4)]


def test_two_processes_that_start_and_stop_in_order_leave_no_gap_of_their_own(story: Story) -> None:
    story.opened("start of writer", "start of gateway", "call", "stop of gateway", "stop of writer")
    assert story.gaps() == []
    assert story.are_clean() == (True, True)
    story.opened("start of writer", "start of gateway", "call")
    assert story.gaps() == [("stopped", 4, 7)]
    assert story.are_clean() == (False, False)


def test_a_gateway_that_is_started_anew_beside_a_writer_that_runs_on(story: Story) -> None:
    story.opened("start of writer", "start of gateway", "call", "stop of gateway", "start of gateway later", "call")
    assert story.gaps() == [("stopped", 4, 5)]
    assert story.numbers() == [0, 0, 1, 1, 1, 2, 2]


def test_a_gateway_that_dies_beside_a_writer_that_runs_on(story: Story) -> None:
    story.opened("start of writer", "start of gateway", "call", "crashed start of gateway", "call")
    assert story.gaps() == [("crashed", 3, 4)]


def test_a_writer_that_dies_beside_a_gateway_that_lives(story: Story) -> None:
    story.opened("start of writer", "start of gateway", "call")
    assert story.are_clean() == (False, False)
    story.opened("crashed start of writer", "beat", "call")
    assert story.gaps() == [("crashed", 3, 5)]
    # The gateway has lived on: its open calls are not those of a process that is gone.
    assert story.numbers() == [0, 0, 1, 1, 1, 1, 1]


def test_a_writer_that_is_stopped_beside_a_gateway_that_lives(story: Story) -> None:
    story.opened("start of writer", "start of gateway", "call", "stop of writer")
    assert story.are_clean() == (False, True)
    story.opened("start of writer", "beat")
    assert story.gaps() == [("stopped", 3, 6)]


def test_a_writer_that_dies_after_its_gateway_had_stopped(story: Story) -> None:
    story.opened("start of writer", "start of gateway", "stop of gateway")
    assert story.are_clean() == (True, False)
    story.opened("crashed start of writer", "start of gateway")
    assert story.gaps() == [("stopped", 3, 5)]


def test_a_gateway_that_no_start_announces_is_named(story: Story) -> None:
    story.opened("start", "call").opened("call")
    assert story.gaps() == [("unannounced start", 2, 3)]
    assert story.numbers() == [0, 1, 1, 2]


def test_a_silent_gateway_is_found_beside_an_operator_who_is_not(story: Story) -> None:
    story.opened("start", "call", "export later", "beat")
    assert story.gaps() == [("silence", 2, 4)]


def test_a_ledger_with_nothing_but_its_genesis_was_not_stopped(story: Story) -> None:
    story.opened()
    assert story.are_clean() == (False, False)
    story.opened("start of writer")
    assert story.are_clean()[0] is True
