import asyncio
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.live.harness.warm import masker_of

from holdfast.masking.budget import KEPT, WHOLE
from holdfast.masking.entries import MaskingRules
from holdfast.masking.masker import Masker
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
