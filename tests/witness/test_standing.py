import pytest
from tests.ledger.ledgers import call, heartbeat
from tests.witness.gateways import DOWN, World

from holdfast.clock import SetClock
from holdfast.errors import LedgerError
from holdfast.witness.rules import WitnessRules


def test_calls_are_refused_once_nobody_vouched_for_longer_than_the_rules_allow(world: World) -> None:
    judge, served = world.witness("a")
    world.rules = served.rules(refuse_after_s=300)
    watch = world.watch()
    assert "yet" in str(watch.refusal())
    world.round(watch)
    world.ledger.append_blocking(call())
    judge.answer = DOWN
    world.round(watch, 300)
    assert watch.refusal() is None
    world.clock.advance(1)
    with pytest.raises(LedgerError, match=r"no quorum of witnesses has vouched for 301 s, longer .* \(300 s\)"):
        world.ledger.append_blocking(call())
    world.ledger.append_blocking(heartbeat())  # the gateway's own Records go on: they tell of it
    judge.answer = None
    world.round(watch)
    world.ledger.append_blocking(call())


def test_without_refuse_after_calls_go_on_and_the_window_grows(world: World) -> None:
    judge, served = world.witness("a")
    world.rules = served.rules()
    watch = world.watch()
    world.round(watch)
    judge.answer = DOWN
    world.round(watch, 86400)
    assert watch.window_s() == 86400
    world.ledger.append_blocking(call())


@pytest.mark.parametrize(("quorum", "is_refused"), [(1, False), (2, False), (3, True)])
def test_a_quorum_of_the_witnesses_is_enough(world: World, quorum: int, *, is_refused: bool) -> None:
    made = [world.witness(name) for name in ("a", "b", "c")]
    listed = tuple(served.rule(f"w{number}") for number, (_, served) in enumerate(made))
    world.rules = WitnessRules(listed, quorum=quorum, refuse_after_s=120)
    watch = world.watch()
    world.round(watch)
    made[0][0].answer = DOWN
    for _ in range(3):
        world.round(watch)
    assert (watch.refusal() is not None) is is_refused
    assert world.outages() == [("witness.down", "w0", "unreachable")]


def test_a_restart_makes_nobody_younger(world: World) -> None:
    judge, served = world.witness("a")
    world.rules = served.rules(refuse_after_s=300)
    world.round(world.watch())
    judge.answer = DOWN
    world.clock.advance(400)
    again = world.watch()
    assert "400 s" in str(again.refusal())
    assert again.window_s() == 400


def test_a_wall_clock_set_back_makes_nobody_younger(world: World) -> None:
    judge, served = world.witness("a")
    world.rules = served.rules(refuse_after_s=300)
    watch = world.watch()
    world.round(watch)
    judge.answer = DOWN
    world.clock.advance(301)
    world.clock.at = SetClock().at
    assert "301 s" in str(watch.refusal())


def test_new_rules_count_from_the_next_round(world: World) -> None:
    judge, served = world.witness("a")
    judge.answer = DOWN
    world.rules = served.rules(refuse_after_s=60)
    watch = world.watch()
    world.round(watch)
    assert watch.refusal() is not None
    world.rules = WitnessRules()
    world.round(watch)
    assert watch.refusal() is None
    assert watch.status_text() == "no witness"
