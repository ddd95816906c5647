"""Rotations for tests: made through a ledger that is opened for them, and what they left on disk."""

from pathlib import Path

from tests.ledger.ledgers import open_ledger

from holdfast.clock import SetClock
from holdfast.jsontext import JsonObject
from holdfast.ledger import checkpoints, note

DAY_S = 24 * 3600
OPERATOR: JsonObject = {"uid": 1000, "name": "operator"}


def rotate(directory: Path, overlap_s: int = DAY_S, clock: SetClock | None = None) -> note.VerifierKey:
    ledger = open_ledger(directory, clock)
    key = ledger.rotate_blocking(overlap_s=overlap_s, reason="due", operator=OPERATOR)
    ledger.close()
    return key


def signers(data: bytes) -> list[str]:
    return [signature.key_id.hex() for signature in note.parse_note(data).signatures]


def last(directory: Path) -> bytes:
    found = checkpoints.read_tail(directory / checkpoints.FILE).last
    assert found is not None
    return found


def ids(*keys: note.VerifierKey) -> list[str]:
    return [key.key_id.hex() for key in keys]


def files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory / "keys")) for path in (directory / "keys").rglob("*") if path.is_file()}
