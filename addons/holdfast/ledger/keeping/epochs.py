"""The files by which a recovery is known: what is to be done in the data folder, and what became of an old ledger.

`recover.pending` in the data folder says that its ledger is being abandoned, and for which new one; it goes once the
genesis Record of the new one is durable. `abandoned.json` in a folder says that its ledger was abandoned: it can be
read and verified, and never continued.
"""

import dataclasses
import json
from pathlib import Path
from typing import Final

from holdfast import jsontext
from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger.keeping import keyfiles

PENDING_FILE: Final = "recover.pending"
MARKER_FILE: Final = "abandoned.json"
ABANDONED_DIR: Final = "abandoned"
AGAIN: Final = "a recovery of this ledger was interrupted: run `scripts/ledger.py recover` again, which completes it"


@dataclasses.dataclass(frozen=True, slots=True)
class Pending:
    """A recovery under way: ``number`` of the epoch that ends, ``origin`` of the new one, the body of its genesis."""

    number: int
    origin: str
    genesis: JsonObject

    def write(self, directory: Path) -> None:
        """Make it durable in the data folder.

        Raises:
            OSError: it cannot be written.
        """
        keyfiles.replace(directory / PENDING_FILE, jsontext.canonical(dataclasses.asdict(self)) + b"\n")


def read_pending(directory: Path) -> Pending | None:
    """The recovery under way in the data folder, or None.

    Raises:
        LedgerError: the file cannot be read.
    """
    path = directory / PENDING_FILE
    try:
        value = json.loads(path.read_bytes())
        number, origin, genesis = value["number"], value["origin"], value["genesis"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        raise LedgerError(f"{path} cannot be read; it is written by `scripts/ledger.py recover`") from None
    if not (isinstance(number, int) and isinstance(origin, str) and isinstance(genesis, dict)):
        raise LedgerError(f"{path} is not what `scripts/ledger.py recover` writes")
    return Pending(number, origin, genesis)


def genesis_of(directory: Path, origin: str) -> JsonObject:
    """What the genesis Record of ``origin`` says of the ledger before it: nothing, where there is none.

    Raises:
        LedgerError: the ledger in ``directory`` was abandoned, or is being abandoned and ``origin`` is the old one.
    """
    if (directory / MARKER_FILE).exists():
        raise LedgerError(
            f"the ledger in {directory} was abandoned, see {MARKER_FILE}: it can be read and verified, not continued"
        )
    pending = read_pending(directory)
    if pending is None:
        return {}
    if pending.origin != origin:
        raise LedgerError(AGAIN)
    return pending.genesis


def finish(directory: Path) -> None:
    """The new epoch's genesis is durable: nothing is pending any more."""
    path = directory / PENDING_FILE
    if path.exists():
        path.unlink()
        keyfiles.sync(directory)
