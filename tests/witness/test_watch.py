import threading
from collections.abc import Callable

import pytest
from tests.ledger.ledgers import call, heartbeat
from tests.witness.gateways import DOWN, World
from tests.witness.worlds import Scripted, private_key, serving

from holdfast import jsontext
from holdfast.errors import LedgerError
from holdfast.ledger.reader import open_reader
from holdfast.witness import cosignature, store
from holdfast.witness.rules import WitnessRule, WitnessRules
from holdfast.witness.server.judge import Answer


def test_while_everybody_vouches_nothing_is_recorded_and_the_window_is_small(world: World) -> None:
    _, served = world.witness("a")
    world.rules = served.rules()
    watch = world.watch()
    assert watch.status_text() == "tamper window open since the beginning"
    for _ in range(3):
        world.round(watch)
    world.clock.advance(42)
    assert watch.status_text() == "tamper window 42 s"
    assert watch.window_s() == 42
    assert world.outages() == []
    assert watch.refusal() is None


def test_an_outage_is_one_record_and_its_end_another(world: World) -> None:
    judge, served = world.witness("a")
    world.rules = served.rules()
    watch = world.watch()
    world.round(watch)
    judge.answer = Answer(404, b"")
    for _ in range(4):
        world.round(watch)
    assert world.outages() == [("witness.down", "audit", "refused")]
    assert "DOWN: witness audit does not watch this ledger" in watch.status_text()
    judge.answer = None
    for _ in range(2):
        world.round(watch)
    assert world.outages()[1:] == [("witness.up", "audit", None)]


def test_the_record_says_up_to_where_and_since_when(world: World) -> None:
    judge, served = world.witness("a")
    world.rules = served.rules()
    watch = world.watch()
    world.round(watch)
    size, root, at = world.ledger.head().size, world.ledger.head().root.hex(), world.clock.now_at()
    judge.answer = Answer(404, b"")
    world.round(watch)
    with open_reader(world.data) as reader:
        record = jsontext.parse(reader.record(reader.size() - 1))
    assert isinstance(record, dict)
    assert record["head"] == {"size": size, "root": root}
    assert record["since"] == at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_one_answer_that_does_not_come_is_no_outage(world: World) -> None:
    _, served = world.witness("a")
    world.rules = served.rules()
    watch = world.watch()
    world.round(watch)
    away = WitnessRules((WitnessRule("audit", "http://127.0.0.1:1", served.key),), quorum=1)
    world.rules = away
    world.round(watch)
    assert world.outages() == []
    world.round(watch)
    assert world.outages() == [("witness.down", "audit", "unreachable")]
    world.rules = WitnessRules((WitnessRule("audit", served.url, served.key),), quorum=1)
    world.round(watch)
    assert world.outages()[1:] == [("witness.up", "audit", None)]


def test_a_witness_that_saw_another_history_is_shouted_and_stops_calls_at_once(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    judge, served = world.witness("a")
    world.rules = served.rules(refuse_after_s=86400)
    watch = world.watch()
    world.round(watch)
    judge.answer = Answer(422, b"")
    world.round(watch)
    assert "CONFLICT: the witness audit" in caplog.text
    assert world.outages() == [("witness.down", "audit", "conflict")]
    with pytest.raises(LedgerError, match="saw another history"):
        world.ledger.append_blocking(call())
    # Who rewrote the ledger could also cut the line to the witness, or start the gateway anew: neither ends it.
    judge.answer = DOWN
    world.round(watch)
    assert "another history" in str(watch.refusal())
    assert "another history" in str(world.watch().refusal())
    judge.answer = None
    world.round(watch)
    assert watch.refusal() is None
    assert world.watch().refusal() is None
    assert world.outages()[1:] == [("witness.up", "audit", None)]


def test_a_silent_witness_that_turns_out_to_contradict_is_recorded_a_second_time(world: World) -> None:
    judge, served = world.witness("a")
    world.rules = served.rules()
    watch = world.watch()
    judge.answer = DOWN
    for _ in range(2):
        world.round(watch)
    judge.answer = Answer(422, b"")
    for _ in range(2):
        world.round(watch)
    assert [cause for *_, cause in world.outages()] == ["unreachable", "conflict"]
    world.ledger.append_blocking(call())  # no refuse_after: it is told, and goes on


def test_the_last_round_vouches_for_the_stop_and_records_nothing(world: World) -> None:
    _, served = world.witness("a")
    other = cosignature.CosignerKey("w", private_key("w").public_key().public_bytes_raw())
    world.rules = WitnessRules((served.rule(), WitnessRule("gone", "http://127.0.0.1:1", other)), quorum=1)
    watch = world.watch()
    watch.start()
    watch.halt()
    world.ledger.append_blocking(heartbeat())
    head = world.ledger.publish_blocking()
    watch.stop()
    watch.stop()
    with store.open_outside(world.data) as outside:
        assert outside.cosigned_sizes()[-1] == head.size
    assert world.ledger.publish_blocking().size == head.size
    assert "holdfast-witness" not in {thread.name for thread in threading.enumerate()}


def test_the_first_round_is_over_when_a_gateway_that_may_refuse_has_started(world: World) -> None:
    _, served = world.witness("a")
    world.rules = served.rules(refuse_after_s=300)
    watch = world.watch()
    watch.start()
    assert watch.refusal() is None
    world.ledger.append_blocking(call())
    watch.stop()


def test_every_other_witness_is_asked_while_one_is_slow(world: World) -> None:
    _, quick = world.witness("a")
    came, go = threading.Event(), threading.Event()

    class Slow(Scripted):
        def add_checkpoint(self, body: bytes) -> Answer:
            came.set()
            go.wait(10)
            return Answer(404, b"")

    key = cosignature.CosignerKey("slow", private_key("slow").public_key().public_bytes_raw())
    with serving(Slow(), key) as slow:
        world.rules = WitnessRules((slow.rule("slow"), quick.rule("quick")), quorum=1)
        watch = world.watch()
        thread = threading.Thread(target=world.round, args=(watch,))
        thread.start()
        assert came.wait(10)
        wait_until(lambda: bool(watch._outside.cosigned_sizes()))
        go.set()
        thread.join()


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        threading.Event().wait(0.01)
    pytest.fail("it did not come")
