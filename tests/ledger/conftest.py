"""A ledger of sixteen Records, made once for each file of tests and copied for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.ledger.ledgers import fill, open_ledger

from holdfast.ledger.ledger import Ledger


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("template")
    fill(directory, 16)
    return directory


@pytest.fixture
def folder(template: Path, tmp_path: Path) -> Path:
    return shutil.copytree(template, tmp_path / "copy")


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    opened = open_ledger(folder)
    yield opened
    opened.close()
