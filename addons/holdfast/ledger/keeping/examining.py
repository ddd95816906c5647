"""What is left of a ledger: whether it opens, how many Records it holds, the newest checkpoint that can be named."""

import dataclasses
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from holdfast.clock import Clock
from holdfast.errors import HoldfastError, LedgerError, SettingsError
from holdfast.ledger import checkpoints, note, publish, schema
from holdfast.ledger.keeping import rotating
from holdfast.ledger.keyring import KeyRing
from holdfast.ledger.keys import OLD_DIR, Keys, read_keys
from holdfast.ledger.opening import compare
from holdfast.ledger.schema import KEYS_DIR
from holdfast.ledger.signatures import verify_signature


@dataclasses.dataclass(frozen=True, slots=True)
class Remains:
    """A ledger as it lies there. ``head``: its newest checkpoint; ``key``: who signed it, None where nobody can tell.

    ``found``: Records that its database holds; None where it cannot be read. ``fault``: why it does not open, in the
    words of a start; None where it does.
    """

    head: note.Checkpoint
    key: note.VerifierKey | None
    found: int | None
    fault: str | None


def examine(directory: Path, clock: Clock) -> Remains:
    """What is left of the ledger in ``directory``. Under its lock; changes nothing, but completes a rotation.

    Raises:
        LedgerError: it has no checkpoint that could be named.
    """
    keys: Keys | None = None
    fault: str | None = f"{directory / KEYS_DIR} is missing"
    if (directory / KEYS_DIR).is_dir():
        try:
            fault = _fault(directory, read_keys(directory / KEYS_DIR), clock)
            keys = read_keys(directory / KEYS_DIR)
        except SettingsError as error:
            fault = str(error)
    head, key = _newest(directory, keys.ring if keys is not None else None)
    return Remains(head, key, _found(directory), fault)


def _fault(directory: Path, keys: Keys, clock: Clock) -> str | None:
    try:
        with _connected(directory / schema.PAYLOAD_FILE) as connection:
            schema.check_schema(connection, schema.PAYLOAD_APPLICATION_ID, schema.PAYLOAD_FILE)
        with _connected(directory / schema.LEDGER_FILE) as connection:
            schema.check_schema(connection, schema.LEDGER_APPLICATION_ID, schema.LEDGER_FILE)
            keys = rotating.settle(directory / KEYS_DIR, keys, connection)
            publish.owed(keys, compare(connection, directory / checkpoints.FILE, keys.ring), clock)
    except HoldfastError as error:
        return str(error)
    except OSError as error:
        return f"a file cannot be read: {error.strerror}"
    except sqlite3.Error as error:
        return f"a database is damaged: SQLite says {schema.error_name(error)}"
    except UnicodeDecodeError:
        return "a database is damaged: a text in it is not UTF-8"
    return None


class _connected:  # noqa: N801 -- read as a function
    """A connection that only reads, closed afterwards."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise LedgerError(f"{path.name} is missing")
        self._connection = schema.open_readable(path)

    def __enter__(self) -> sqlite3.Connection:
        return self._connection

    def __exit__(self, *_exc: object) -> None:
        self._connection.close()


def _newest(directory: Path, ring: KeyRing | None) -> tuple[note.Checkpoint, note.VerifierKey | None]:
    """The largest checkpoint that a key of the ledger has signed; if there is none, the largest that can be read."""
    read: list[tuple[note.Checkpoint, bytes]] = []
    for data in (*checkpoints.read_notes(directory / checkpoints.FILE), *_listed(directory)):
        try:
            read.append((note.parse_checkpoint(note.parse_note(data).text), data))
        except LedgerError:
            continue
    if not read:
        raise LedgerError(f"{directory} holds no checkpoint of a ledger: there is nothing that a new one could name")
    read.sort(key=lambda item: item[0].size, reverse=True)
    # With whole keys, the key that the size asks for: whoever stole an earlier one cannot name a head with it.
    rings = [ring] if ring is not None else [KeyRing(key) for key in _vkeys(directory)]
    for checkpoint, data in read:
        for known in rings:
            try:
                known.open_checkpoint(data, verify_signature)
            except LedgerError:
                continue
            return checkpoint, known.key_at(checkpoint.size)
    return read[0][0], None


def _vkeys(directory: Path) -> Iterator[note.VerifierKey]:
    folder = directory / KEYS_DIR
    for path in (folder / "ledger.vkey", *sorted((folder / OLD_DIR).glob("*.vkey"))):
        try:
            yield note.parse_vkey(path.read_text("utf-8").removesuffix("\n"))
        except (OSError, ValueError, LedgerError):
            continue


def _listed(directory: Path) -> list[bytes]:
    try:
        with _connected(directory / schema.LEDGER_FILE) as connection:
            return [str(row[0]).encode() for row in connection.execute("SELECT note FROM checkpoints")]
    except (sqlite3.Error, LedgerError, UnicodeError):
        return []


def _found(directory: Path) -> int | None:
    try:
        with _connected(directory / schema.LEDGER_FILE) as connection:
            count: int = connection.execute("SELECT count(*) FROM entries").fetchone()[0]
    except sqlite3.Error:
        return None
    except LedgerError:
        return 0
    return count
