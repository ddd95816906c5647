"""What one process of the tests has compiled, for those after it: compiling the shipped rules keeps a core busy for ten
seconds, and hundreds of gateways, maskers and scanners of the tests need the same.

All gateways have one masking key, under which the automata are authenticated as in any gateway; what is lent is what
was written as any gateway writes it. Where a test is about a first start, its gateway gets nothing (``cold``).
"""

import fcntl
import functools
import secrets
from pathlib import Path
from typing import Final

from tests.live.harness.world import ROOT

from holdfast.ledger import keys
from holdfast.masking.automata import Automata
from holdfast.masking.core import Core
from holdfast.masking.engine import Scanner
from holdfast.masking.entries import MaskingRules
from holdfast.masking.masker import Masker
from holdfast.policy.ruleset import load_ruleset

MASKING_KEY: Final = b"the masking key of test gateways"
KEPT: Final = Automata(ROOT / ".pytest_cache" / "automata", Automata.beside(ROOT, MASKING_KEY).key)
OTHERS: Final = Automata(ROOT / ".pytest_cache" / "other-automata", KEPT.key)  # of rules that no gateway has
KEPT.folder.parent.mkdir(exist_ok=True)


def masker_of(rules: MaskingRules, key: bytes = bytes(32)) -> Masker:
    """The Masker of ``rules``, compiled by whoever of the tests needed it first."""
    _compile_shipped()
    return Masker(rules, key, None, KEPT)


def core_of(rules: MaskingRules, key: bytes = bytes(32)) -> Core:
    """The same without a Masker around it."""
    _compile_shipped()
    return Core(rules, key, KEPT)


def scanner_of(rules: MaskingRules, key: bytes = bytes(32)) -> Scanner:
    """What finds, and nothing around it."""
    _compile_shipped()
    return Scanner(rules, key, KEPT)


def lend(data: Path) -> None:
    """Let the gateway that is to have ``data`` start like one that was here before; one that was, keeps what it has."""
    if data.exists():
        return
    _compile_shipped()
    keys.create(data / "keys", None, masking=MASKING_KEY, request=secrets.token_bytes(keys.SECRET_BYTES))
    _copy(KEPT, Automata.beside(data, MASKING_KEY))


def take_back(data: Path) -> None:
    """Keep what the gateway of ``data`` has compiled, where it has the key that all have."""
    _copy(Automata.beside(data, MASKING_KEY), KEPT)


@functools.cache
def _compile_shipped() -> None:
    """Have the shipped rules compiled, by one of the processes that run tests at the same time."""
    KEPT.folder.mkdir(parents=True, exist_ok=True)
    with (KEPT.folder.parent / "automata.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # released when the file is closed
        Scanner(load_ruleset(ROOT / "rules").masking, bytes(32), KEPT)


def _copy(source: Automata, target: Automata) -> None:
    there = {path.name for path in target.folder.glob("*.automata")}
    for path in sorted(source.folder.glob("*.automata")):
        content = source.read(path.stem) if path.name not in there else None
        if content is not None:
            target.write(path.stem, content)
