"""A gateway with a language model: what its rules name is loaded at start, and masks what the server says."""

import json
from pathlib import Path

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway
from tests.live.harness.upstream import Upstream, answers, http
from tests.live.harness.world import make_world, result
from tests.masking.tiny_model import train

pytestmark = pytest.mark.live


def test_a_gateway_with_a_trained_model_masks_names_and_places(tmp_path: Path, shared_upstream: Upstream) -> None:
    world = make_world(tmp_path)
    model = train(tmp_path / "model")
    rules = world.rules / "masking.yaml"
    text = rules.read_text("utf-8").replace("profile: all", f"profile: hipaa\nnlp: {{spacy_model: {model}}}")
    rules.write_text(text, "utf-8")
    gateway = Gateway(world, shared_upstream.port, tmp_path / "gw")
    try:
        bench = Bench(gateway.ready(), shared_upstream, world)
        said = json.dumps(result(1, "Yesterday Grace Hopper called from Lisbon ."))
        bench.serve(answers(http("200 OK", said.encode())))
        assert "Yesterday <PERSON> called from <LOCATION> ." in bench.ask().text()
        bench.close()
        assert "Hopper" not in gateway.log()
    finally:
        gateway.kill()
