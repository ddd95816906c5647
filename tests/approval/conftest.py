from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.approval.doubles import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    await world.desk.start()
    yield world
    await world.close()
