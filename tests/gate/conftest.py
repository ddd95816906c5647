from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.gate.works import Works, write_rules
from tests.live.harness.warm import masker_of

from holdfast.masking.masker import Masker
from holdfast.policy.ruleset import Ruleset, load_ruleset


@pytest.fixture(scope="session")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    return load_ruleset(write_rules(tmp_path_factory.mktemp("gate")))


@pytest.fixture(scope="session")
def masker(shipped: Ruleset) -> Masker:
    return masker_of(shipped.masking)


@pytest.fixture
async def works(tmp_path: Path, shipped: Ruleset, masker: Masker) -> AsyncIterator[Works]:
    made = Works(tmp_path, shipped, masker)
    await made.desk.start()
    yield made
    await made.desk.stop()
    made.ledger.close()
