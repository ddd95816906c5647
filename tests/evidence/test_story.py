import csv
import datetime as dt
import io
from pathlib import Path

import pytest
from tests.evidence.conftest import Day
from tests.evidence.forge import lines, unpack
from tests.evidence.world import World, beat

from holdfast.evidence.files.entry import Entry, parse_entry
from holdfast.evidence.story.gaps import duration_text
from holdfast.evidence.story.story import Story, tell
from holdfast.evidence.tables.population import POPULATION
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
    used, denied, expired = story.holds()
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
    assert [(gap.kind, round(gap.seconds)) for gap in story.gaps()] == [("stopped", 1800), ("crashed", 240)]


def test_a_missing_heartbeat_is_a_gap(world: World) -> None:
    beat(world, 120)
    world.clock.advance(200)
    world.stop()
    world.ledger.close()
    assert [(gap.kind, gap.seconds) for gap in tell(entries(world.folder)).gaps()] == [("silence", 200.0)]


def test_a_clock_that_goes_back_or_jumps_is_a_gap(world: World) -> None:
    world.clock.at += dt.timedelta(minutes=1)
    world.stop()
    world.clock.at -= dt.timedelta(minutes=2)
    world.put(Draft("ledger.heartbeat", {"counters": {}}))
    world.ledger.close()
    kinds = {gap.kind for gap in tell(entries(world.folder)).gaps()}
    assert {"clock jumped", "clock went back"} <= kinds


def test_the_population_is_every_record_without_a_hole(day: Day) -> None:
    rows = table(day, "reports/02-population.csv")
    assert [int(row["index"]) for row in rows] == list(range(len(lines(unpack(day.package)))))
    assert tuple(rows[0]) == POPULATION


def test_tables_agree_with_the_story(day: Day, story: Story) -> None:
    assert len(table(day, "reports/04-access-decisions.csv")) == story.calls_count + story.refused_count
    assert [row["outcome"] for row in table(day, "reports/06-approvals.csv")] == ["used", "denied", "expired"]
    assert len(table(day, "reports/07-exceptions.csv")) == len(list(story.exceptions()))
    assert [row["kind"] for row in table(day, "reports/09-gaps.csv")] == ["stopped", "crashed"]
    subs = [row["sub"] for row in table(day, "reports/03-identity.csv")]
    assert subs == ["", "00u7f3maya", "00u91tom", "svc-nightly-report"]
    changed = {row["what"] for row in table(day, "reports/08-changes.csv") if row["kind"] == "rules"}
    assert changed == {"access.yaml", "approval.yaml", "profiles/pci.yaml"}


def test_nothing_that_the_earlier_tables_said_is_lost(day: Day) -> None:
    columns = {
        "02-population": "index at type call refers_to iss sub name client source_ip server direction kind method item "
        "effect rule reason hold approver decision outcome ok code ms findings rules_digest payload",
        "03-identity": "iss sub name auth calls of_them_approved told_to_repeat denied refused first_at last_at",
        "04-access-decisions": "index at iss sub name source_ip server direction method item way rule reason hold "
        "ended reply_index code ms findings_in_call findings_in_reply",
        "06-approvals": "hold opened_at iss sub name server what rule request_digest expires_at decisions deciders "
        "reasons assurance waited_s outcome closed_index call_index",
        "07-exceptions": "index at kind iss sub name what note",
        "09-gaps": "kind from_index to_index from_at to_at seconds note",
        "08-changes": "index at ruleset_digest what digest",
    }
    for report, names in columns.items():
        assert set(names.split()) <= set(table(day, f"reports/{report}.csv")[0]), report


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
