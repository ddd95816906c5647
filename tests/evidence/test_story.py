import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from tests.evidence.conftest import Day
from tests.evidence.forge import lines, unpack
from tests.evidence.world import World, beat

from holdfast.evidence.entry import Entry, parse_entry
from holdfast.evidence.gaps import duration_text
from holdfast.evidence.story import Story, tell
from holdfast.evidence.tables import POPULATION
from holdfast.ledger.draft import Draft
from holdfast.ledger.reader import open_reader


@pytest.fixture
def story(day: Day) -> Story:
    return tell(parse_entry(index, data) for index, data in enumerate(lines(unpack(day.package))))


def entries(folder: Path) -> list[Entry]:
    with open_reader(folder) as reader:
        return [parse_entry(index, data) for index, data in reader.records()]


def table(day: Day, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(unpack(day.package)[name].decode(), newline="")))


def test_every_request_is_counted_once(story: Story) -> None:
    assert story.ways() == {"allowed": 10, "approved": 1, "pending": 1, "denied": 2, "refused": 2}


def test_findings_are_added_up(story: Story) -> None:
    assert story.findings == {"CREDIT_CARD": 8, "EMAIL_ADDRESS": 8, "PERSON": 8}


def test_a_hold_says_who_decided_and_how_it_ended(story: Story) -> None:
    used, denied, expired = story.holds
    assert (used.outcome, used.approvals[0].approver.name, used.waited_s) == ("used", "Dana Okafor", 31.0)
    assert used.call_index is not None
    assert (denied.outcome, denied.approvals[0].decision, denied.call_index) == ("denied", "deny", None)
    assert (expired.outcome, expired.approvals) == ("expired", ())


def test_exceptions_are_every_no_failure_and_loss(story: Story) -> None:
    kinds = [fact.kind for fact in story.exceptions()]
    assert sorted(kinds) == [
        "call lost", "denied", "denied", "failed", "hold denied", "hold expired", "refused", "refused",
    ]  # fmt: skip
    assert [fact.index for fact in story.exceptions()] == sorted(fact.index for fact in story.exceptions())


def test_a_stop_and_a_crash_are_gaps(story: Story) -> None:
    assert [(gap.kind, round(gap.seconds)) for gap in story.gaps] == [("stopped", 1800), ("crashed", 240)]


def test_a_missing_heartbeat_is_a_gap(world: World) -> None:
    beat(world, 120)
    world.clock.advance(200)
    world.stop()
    world.ledger.close()
    assert [(gap.kind, gap.seconds) for gap in tell(entries(world.folder)).gaps] == [("silence", 200.0)]


def test_a_clock_that_goes_back_or_jumps_is_a_gap(world: World) -> None:
    world.clock.at += dt.timedelta(minutes=1)
    world.stop()
    world.clock.at -= dt.timedelta(minutes=2)
    world.put(Draft("ledger.heartbeat", {"counters": {}}))
    world.ledger.close()
    kinds = {gap.kind for gap in tell(entries(world.folder)).gaps}
    assert {"clock jumped", "clock went back"} <= kinds


def test_the_population_is_every_record_without_a_hole(day: Day) -> None:
    rows = table(day, "population.csv")
    assert [int(row["index"]) for row in rows] == list(range(len(lines(unpack(day.package)))))
    assert tuple(rows[0]) == POPULATION


def test_tables_agree_with_the_story(day: Day, story: Story) -> None:
    assert len(table(day, "reports/calls.csv")) == len(story.calls)
    assert [row["outcome"] for row in table(day, "reports/holds.csv")] == ["used", "denied", "expired"]
    assert len(table(day, "reports/exceptions.csv")) == len(story.exceptions())
    assert [row["kind"] for row in table(day, "reports/gaps.csv")] == ["stopped", "crashed"]
    assert [row["sub"] for row in table(day, "reports/identities.csv")] == [
        "00u7f3maya",
        "00u91tom",
        "svc-nightly-report",
    ]
    assert {row["file"] for row in table(day, "reports/rules.csv")} == {"access.yaml", "approval.yaml"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.25, "0.2 s"),
        (59.94, "59.9 s"),
        (61, "1 min 01 s"),
        (3600, "1 h 00 min"),
        (90_000, "1 d 01 h"),
        (-2, "-2.0 s"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
