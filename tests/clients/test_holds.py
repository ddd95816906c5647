"""Each client through holds of ninety seconds: approved, denied, expired, client gone. All of them wait at once."""

import contextlib
import dataclasses
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.clients.conftest import EXPIRES_S, Scene
from tests.clients.matrix import CLIENTS, Talk, talking
from tests.live.harness.approver import decide
from tests.live.harness.world import until

pytestmark = pytest.mark.live

NAMES = [client.name for client in CLIENTS]
TOLD = {"denied": "an approver denied the call", "expired": "without a usable approval"}
ENDS = ("approved", "denied", "expired", "gone")
ENDS_S = EXPIRES_S + 240  # three dozen clients start on two cores, wait, and find their way home
# Waits of 45 s end where a hold is ninety seconds old, and who goes between two of them leaves one that pends.
GONE_S = EXPIRES_S + 20
NOTICED_S = 30  # a client that goes is noticed far sooner
LOOK_S = 0.5
SLACK_S = 5  # a hold is seen a little after it began


type Pair = tuple[str, str]  # the client's name, and how its hold ends


@dataclasses.dataclass(slots=True)
class Story:
    """One client and its hold, as far as they have come; times are of the monotonic clock."""

    talk: Talk
    hold: str | None = None
    begun_s: float = 0
    decided_s: float | None = None
    held_s: float = 0
    outcome: str | None = None


def steps(name: str, end: str) -> list[dict[str, Any]]:
    tool = "remove_customer" if end == "expired" else "delete_customer"
    arguments = {"customer_id": f"{name}-{end}"}
    return [
        {"do": "call", "name": tool, "arguments": arguments, "patient": True},
        {"do": "call", "name": "get_customer", "arguments": arguments},
    ]


@pytest.fixture(scope="module")
def stories(scene: Scene) -> Iterator[dict[Pair, Story]]:
    """Every client in every hold, all at once, each decided when it is ninety seconds old."""
    with contextlib.ExitStack() as stack:
        told: dict[Pair, Story] = {}
        for client in CLIENTS:
            for end in ENDS:
                token = scene.world.token("mcp-users", sub=f"{client.name}-{end}")
                url, wanted = scene.url("/customers/mcp"), steps(client.name, end)
                told[client.name, end] = Story(stack.enter_context(talking(client, url, token, wanted, scene.folder)))
        until(lambda: go_on(scene, told), "every hold ends", within_s=ENDS_S)
        for (_, end), story in told.items():
            if end != "gone":
                story.talk.ended()
        yield told


def go_on(scene: Scene, told: dict[Pair, Story]) -> bool:
    """Look at the ledger and decide what is due; whether every hold has ended."""
    opened = {one["who"]["sub"]: one["appr"]["id"] for one in scene.gateway.records("hold.opened")}
    closed = {one["appr"]["id"]: one["outcome"] for one in scene.gateway.records("hold.closed")}
    for (name, end), story in told.items():
        now_s = time.monotonic()
        if story.hold is None and (found := opened.get(f"{name}-{end}")):
            story.hold, story.begun_s = found, now_s
        if story.hold is None or story.outcome is not None:
            continue
        if story.decided_s is None and now_s - story.begun_s >= (GONE_S if end == "gone" else EXPIRES_S):
            story.decided_s = now_s
            decide_now(scene, end, story)
        if closed.get(story.hold) not in (None, "pending", "interrupted"):
            story.outcome, story.held_s = closed[story.hold], now_s - story.begun_s
    threading.Event().wait(LOOK_S)  # the clients need the cores more than this does
    return all(is_over(story) for story in told.values())


def is_over(story: Story) -> bool:
    """A hold ends with its record; whose process has ended is given up where none comes, for its own tests to tell."""
    if story.outcome is not None:
        return True
    is_late = story.decided_s is None or time.monotonic() - story.decided_s > NOTICED_S
    return is_late and story.talk.process.poll() is not None


def decide_now(scene: Scene, end: str, story: Story) -> None:
    assert story.hold is not None
    match end:
        case "approved":
            decide(scene.gateway, scene.world, story.hold, "approve")
        case "denied":
            decide(scene.gateway, scene.world, story.hold, "deny")
        case "gone":
            story.talk.leave()


def carried_out(scene: Scene, name: str, end: str) -> list[str]:
    """The tools that the server ran for this client in this hold, its own words."""
    said = scene.customers.lines()
    return [line["tool"] for line in said if line.get("customer_id") == f"{name}-{end}"]


def answers(story: Story) -> list[dict[str, Any]]:
    """What its steps came to; the first line says what was agreed on."""
    return story.talk.lines()[1:]


@pytest.mark.parametrize("name", NAMES)
def test_an_approved_client_has_its_result_once_and_lives(name: str, stories: dict[Pair, Story], scene: Scene) -> None:
    story = stories[name, "approved"]
    held, after = answers(story)
    assert held.get("text") == f"deleted {name}-approved", (held, story.talk.errors())
    assert f"customer {name}-approved" in after["text"]
    assert carried_out(scene, name, "approved") == ["delete_customer", "get_customer"]


@pytest.mark.parametrize("end", ["denied", "expired"])
@pytest.mark.parametrize("name", NAMES)
def test_a_client_is_told_no_and_lives(name: str, end: str, stories: dict[Pair, Story], scene: Scene) -> None:
    story = stories[name, end]
    held, after = answers(story)
    assert held.get("error"), (held, story.talk.errors())
    assert TOLD[end] in held["text"]
    assert f"customer {name}-{end}" in after["text"]
    assert carried_out(scene, name, end) == ["get_customer"]


@pytest.mark.parametrize("name", NAMES)
def test_a_client_that_has_gone_leaves_an_abandoned_hold_and_nothing_goes_out(
    name: str, stories: dict[Pair, Story], scene: Scene
) -> None:
    assert answers(stories[name, "gone"]) == []
    assert stories[name, "gone"].outcome == "abandoned"
    assert carried_out(scene, name, "gone") == []


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("name", NAMES)
def test_a_client_waits_ninety_seconds_in_one_hold_and_the_records_say_how_it_ended(
    name: str, end: str, stories: dict[Pair, Story], scene: Scene
) -> None:
    story = stories[name, end]
    assert story.outcome == {"approved": "used", "gone": "abandoned"}.get(end, end)
    assert story.held_s > EXPIRES_S - SLACK_S
    subs = [one["who"]["sub"] for one in scene.gateway.records("hold.opened")]
    assert subs.count(f"{name}-{end}") == 1
