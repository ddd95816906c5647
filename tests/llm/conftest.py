from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.gate.works import Works, write_rules
from tests.live.harness.warm import masker_of
from tests.llm.bodies import ACCESS, ANTHROPIC, APPROVAL, OPENAI

from holdfast.masking.masker import Masker
from holdfast.policy.ruleset import Ruleset, load_ruleset


@pytest.fixture(scope="session")
def ruled(tmp_path_factory: pytest.TempPathFactory) -> Ruleset:
    return load_ruleset(write_rules(tmp_path_factory.mktemp("llm"), access=ACCESS, approval=APPROVAL))


@pytest.fixture(scope="session")
def masker(ruled: Ruleset) -> Masker:
    return masker_of(ruled.masking)


@pytest.fixture
async def works(tmp_path: Path, ruled: Ruleset, masker: Masker) -> AsyncIterator[Works]:
    """A gate before the two vendors' APIs."""
    made = Works(tmp_path, ruled, masker).with_servers(OPENAI, ANTHROPIC)
    await made.desk.start()
    yield made
    await made.desk.stop()
    made.ledger.close()
