"""One world, one server and one gateway for every test that needs no start of its own."""

from collections.abc import Iterator

import pytest
from tests.live.harness.bench import Bench, bench_of
from tests.live.harness.gateway import Gateway
from tests.live.harness.upstream import Upstream
from tests.live.harness.world import World, make_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def shared_upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="session")
def shared_gateway(
    world: World, shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("gw")
    gateway = Gateway(world, shared_upstream.port, folder, options=["-w", str(folder / "flows.mitm")])
    try:
        yield gateway.ready()
    finally:
        gateway.kill()


@pytest.fixture(scope="session")
def gateway(shared_gateway: Gateway) -> Gateway:
    """The gateway of the benches; a module that needs another has a fixture of this name."""
    return shared_gateway


@pytest.fixture
def bench(gateway: Gateway, shared_upstream: Upstream, world: World) -> Iterator[Bench]:
    with bench_of(gateway, shared_upstream, world) as bench:
        yield bench
