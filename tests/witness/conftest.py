import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.witness import worlds
from tests.witness.gateways import World


@pytest.fixture(autouse=True)
def _closed_databases() -> Iterator[None]:
    yield
    worlds.close_all()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with contextlib.ExitStack() as stack:
        yield World(tmp_path, stack)
