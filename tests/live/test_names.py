"""A gateway with a language model: what its rules name is loaded at start, and masks what the server says."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway
from tests.live.harness.processes import children, ticks, workers
from tests.live.harness.upstream import Upstream, answers, http
from tests.live.harness.world import World, make_world, result
from tests.masking.tiny_model import train

from holdfast.masking.finder import MODEL_CHARS_MAX
from holdfast.masking.size import CHARS_MAX

pytestmark = pytest.mark.live

SAID = "Yesterday Grace Hopper called from Lisbon ."
MASKED = "Yesterday <PERSON> called from <LOCATION> ."
FILLER = "Restart the server before noon . "


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("names")
    world = make_world(folder)
    model = train(folder / "model")
    rules = world.rules / "masking.yaml"
    text = rules.read_text("utf-8").replace("profile: all", f"profile: hipaa\nnlp: {{spacy_model: {model}}}")
    rules.write_text(text, "utf-8")
    return world


@pytest.fixture(scope="module")
def gateway(named: World, shared_upstream: Upstream) -> Iterator[Gateway]:
    gateway = Gateway(named, shared_upstream.port, named.folder / "gw")
    try:
        yield gateway.ready()
    finally:
        gateway.kill()


@pytest.fixture
def bench(gateway: Gateway, shared_upstream: Upstream, named: World) -> Iterator[Bench]:
    bench = Bench(gateway, shared_upstream, named)
    yield bench
    bench.close()
    assert "Hopper" not in gateway.log()


def told(bench: Bench, text: str) -> str:
    """What the client reads where the server says ``text``."""
    bench.serve(answers(http("200 OK", json.dumps(result(1, text)).encode())))
    return str(bench.ask().text())


def test_a_gateway_with_a_trained_model_masks_names_and_places(bench: Bench) -> None:
    assert MASKED in told(bench, SAID)


def test_the_record_of_its_rules_names_the_model(gateway: Gateway) -> None:
    (loaded,) = gateway.records("rules.loaded")
    assert loaded["engine"]["scan"] == "none"
    assert loaded["engine"]["model"] == {"name": "en_pipeline", "version": "0.0.0"}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the test looks at processes in /proc")
@pytest.mark.parametrize("chars", [2 * MODEL_CHARS_MAX, CHARS_MAX + 4_000])
def test_a_text_too_long_for_the_event_loop_is_read_by_the_model_of_a_worker(
    bench: Bench, gateway: Gateway, chars: int
) -> None:
    before = {pid: ticks(pid) for pid in workers(gateway)}
    half = FILLER * (chars // (2 * len(FILLER)) + 1)
    said = told(bench, f"{half}{SAID} {half}{SAID}")
    assert said == f"{half}{MASKED} {half}{MASKED}"
    assert any(ticks(pid) > before[pid] for pid in workers(gateway) if pid in before)
    assert len(children(gateway.process.pid)) == 1
