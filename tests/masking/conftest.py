import asyncio
import dataclasses
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from tests.live.harness.warm import masker_of

from holdfast.masking.budget import KEPT, WHOLE
from holdfast.masking.entries import MaskingRules
from holdfast.masking.masker import Masker
from holdfast.masking.processor import demand_instructions
from holdfast.masking.rules import parse_masking
from holdfast.masking.work.nursery import Setup
from holdfast.masking.work.worker import Nursery
from holdfast.policy.beside import Beside
from holdfast.policy.document import Source, parse_document, read_source

KEY = bytes(range(32))
RULES_PATH = Path(__file__).parents[2] / "rules" / "masking.yaml"


def rules_of(text: str) -> MaskingRules:
    return parse_masking(parse_document(Source("masking.yaml", text.encode())))


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests ask what a text comes to: a garbage collection of the whole run meanwhile takes no time from it."""
    patient = dataclasses.replace(KEPT, message_s=WHOLE.message_s, leaf_s=WHOLE.leaf_s, search_s=WHOLE.search_s)
    monkeypatch.setattr("holdfast.masking.masker.KEPT", patient)


@pytest.fixture(scope="session")
def shipped_rules() -> MaskingRules:
    return parse_masking(parse_document(read_source(RULES_PATH)), Beside(RULES_PATH.parent))


@pytest.fixture(scope="session")
def masker(shipped_rules: MaskingRules) -> Masker:
    return masker_of(shipped_rules, KEY)


@pytest.fixture(scope="module")
def nursery(rules: MaskingRules) -> Iterator[Nursery]:
    """One that has the `rules` of the module that asks."""
    nursery = Nursery.spawn()
    asyncio.run(nursery.load(Setup(rules, KEY)))
    yield nursery
    asyncio.run(nursery.end())


def _runs_hyperscan() -> bool:
    """Whether there is a Hyperscan for this Python that this processor can run; elsewhere RE2 is what masking takes."""
    try:
        demand_instructions()
    except ImportError:
        return False
    return sys.version_info < (3, 14)


RUNS_HYPERSCAN = _runs_hyperscan()
collect_ignore = [] if RUNS_HYPERSCAN else ["test_automata.py", "test_trial.py"]  # they are about nothing else
if not RUNS_HYPERSCAN:
    sys.modules["hyperscan"] = None  # type: ignore[assignment] # loading it might end this process


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Skip what asks for Hyperscan by name where it cannot run, and nowhere else."""
    try:
        yield
    except ImportError as error:
        if RUNS_HYPERSCAN or "hyperscan" not in str(error):
            raise
        pytest.skip(f"no Hyperscan for this Python or processor: {error}")
