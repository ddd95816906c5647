"""What one gateway of the tests has compiled, for those after it: a first start takes ten seconds, a later one two.

All of them have one masking key, under which the automata are authenticated as in any gateway; what is lent is what
another gateway wrote. Where a test is about a first start, its gateway gets nothing (``cold``).
"""

import secrets
from pathlib import Path
from typing import Final

from tests.live.harness.world import ROOT

from holdfast.ledger import keys
from holdfast.masking.automata import Automata

MASKING_KEY: Final = b"the masking key of test gateways"
_SHELF: Final = Automata(ROOT / ".pytest_cache" / "automata", Automata.beside(ROOT, MASKING_KEY).key)


def lend(data: Path) -> None:
    """Let the gateway that is to have ``data`` start like one that was here before; one that was, keeps what it has."""
    if data.exists():
        return
    keys.create(data / "keys", None, masking=MASKING_KEY, request=secrets.token_bytes(keys.SECRET_BYTES))
    _copy(_SHELF, Automata.beside(data, MASKING_KEY))


def take_back(data: Path) -> None:
    """Keep what the gateway of ``data`` has compiled, where it has the key that all have."""
    _SHELF.folder.parent.mkdir(exist_ok=True)
    _copy(Automata.beside(data, MASKING_KEY), _SHELF)


def _copy(source: Automata, target: Automata) -> None:
    there = {path.name for path in target.folder.glob("*.automata")}
    for path in sorted(source.folder.glob("*.automata")):
        content = source.read(path.stem) if path.name not in there else None
        if content is not None:
            target.write(path.stem, content)
