"""One day at a gateway, built once; tests that change something copy it."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.evidence.world import World, a_day

from holdfast.evidence.build import build
from holdfast.evidence.files.fingerprints import read_trust
from holdfast.ledger.note import VerifierKey


class Day(NamedTuple):
    world: World
    package: Path
    trust: list[VerifierKey]


@pytest.fixture(scope="session")
def day(tmp_path_factory: pytest.TempPathFactory) -> Day:
    folder = tmp_path_factory.mktemp("day")
    world = a_day(folder / "data")
    world.ledger.close()
    build(world.folder, folder / "day.zip")
    return Day(world, folder / "day.zip", read_trust(world.vkey))


@pytest.fixture
def copy(day: Day, tmp_path: Path) -> Path:
    return Path(shutil.copy(day.package, tmp_path / "copy.zip"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "data")
    made.start()
    made.load_rules()
    return made
