"""The first start of a gateway and the next one, live: what is made, what is kept, and what is taken from it."""

import importlib.metadata
from pathlib import Path

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway
from tests.live.harness.upstream import Upstream
from tests.live.harness.world import World

pytestmark = pytest.mark.live


def kept(data: Path) -> dict[str, int]:
    """The automata, and which file each is: what is compiled anew is another file of the same name."""
    return {path.name: path.stat().st_ino for path in (data / "automata").iterdir()}


def test_a_first_start_makes_keys_and_automata_that_the_next_start_takes(
    world: World, shared_upstream: Upstream, tmp_path: Path
) -> None:
    first = Gateway(world, shared_upstream.port, tmp_path, cold=True)
    try:
        first.ready()
        assert "created new keys in" in first.log()
        (loaded,) = first.records("rules.loaded")
        assert loaded["engine"]["scan"] == "hyperscan"
        names = ("hyperscan", "presidio-analyzer", "phonenumbers", "regex", "tldextract")
        assert loaded["engine"]["versions"] == {name: importlib.metadata.version(name) for name in names}
        made = kept(first.data)
        assert len(made) == 1
        first.terminate()
    finally:
        first.kill()
    second = Gateway(world, shared_upstream.port, tmp_path, cold=True)
    bench = Bench(second, shared_upstream, world)
    try:
        second.ready()
        assert "created" not in second.log()
        bench.check()
        assert kept(second.data) == made
    finally:
        bench.close()
        second.kill()
