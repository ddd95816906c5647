"""Changing the ledger's key, in steps that a crash may end anywhere.

1. The new private key is written to `keys/next.pem`. A crash leaves a key that nothing names; the next start removes
   it.
2. The Record `ledger.rotated` is committed. From here on the new key is the ledger's: a checkpoint that covers the
   Record is signed by it, and by nothing else once the old key's time is over.
3. `keys/` follows (:func:`finish`): the old vkey and private key go to `old/`, the Record to `rotations.jsonl`,
   `next.pem` becomes `ledger.pem`, `ledger.pub.pem` and `ledger.vkey` become the new key's.
4. The handover, a checkpoint signed by both keys, is appended to `checkpoints.log`. Only after it, and once its time is
   over, the old private key is removed.

A start that finds the Record, or a part of step 3, does the rest: both private keys are on disk until step 4 is done.
No Record comes between step 2 and the end of step 4, since the writer's thread does all of it.
"""

import dataclasses
import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.clock import Clock, utc_text
from holdfast.errors import LedgerError, SettingsError
from holdfast.jsontext import JsonObject
from holdfast.ledger import keyring, note
from holdfast.ledger.draft import Draft, prepare
from holdfast.ledger.keeping import keyfiles
from holdfast.ledger.keyring import ROTATIONS_MAX, Rotation
from holdfast.ledger.keys import (
    NEXT_FILE,
    OLD_DIR,
    ROTATIONS_FILE,
    Keys,
    old_path,
    read_keys,
    verifier_of,
    vkey_line,
)
from holdfast.ledger.publish import Publisher
from holdfast.ledger.store import Append, Store

OVERLAP_S_MAX: Final = 366 * 24 * 3600  # a key that signs beside its successor for longer was not replaced


@dataclasses.dataclass(frozen=True, slots=True)
class Rotate:
    """A wish for a new key. ``overlap_s``: for how long the old one signs beside it."""

    overlap_s: int
    reason: str
    operator: JsonObject | None
    bytes: int = 0


def checked(work: Rotate, keys: Keys) -> Rotate:
    """``work``, if it can be recorded.

    Raises:
        LedgerError: the overlap is out of range, or the reason or operator has not the form of a Record's.
    """
    if not 0 <= work.overlap_s <= OVERLAP_S_MAX:
        raise LedgerError(f"the overlap of two keys is 0 to {OVERLAP_S_MAX} seconds")
    prepare(_draft(work, keys.verifier, keys.verifier, dt.datetime.min.replace(year=1970, tzinfo=dt.UTC)))
    return work


def rotate(
    work: Rotate, store: Store, publisher: Publisher, clock: Clock, publish: Callable[[], None]
) -> note.VerifierKey | LedgerError:
    """Change the key; runs on the writer's thread. A LedgerError as outcome says that nothing was changed.

    Args:
        work: what :func:`checked` returned.
        store: takes the Record.
        publisher: signs with the old key before and with the new key after.
        clock: tells from when the overlap runs.
        publish: signs and keeps the handover.

    Raises:
        Exception: a step after the first failed; the next start completes it or finds nothing changed.
    """
    folder, keys = publisher.keys_folder, publisher.keys
    if len(keys.rotations) >= ROTATIONS_MAX:
        return LedgerError(f"a ledger changes its key at most {ROTATIONS_MAX} times")
    try:
        private = _new_key(keys)
        keyfiles.replace(folder / NEXT_FILE, keyfiles.private_pem(private))
    except OSError as error:
        return LedgerError(f"the new key cannot be written ({error.strerror}); the old one goes on signing")
    new = verifier_of(keys.origin, private)
    # From here on the new key is durable, so a Record may name it.
    draft = _draft(work, keys.verifier, new, clock.now_at() + dt.timedelta(seconds=work.overlap_s))
    outcome = store.write([Append((draft,), (prepare(draft),), 0)])[0]
    if isinstance(outcome, LedgerError):
        return outcome
    entry = _last_record(store.ledger)
    rotation = keyring.rotation_at(store.tree.size - 1, entry)
    assert rotation is not None
    # From here on whoever reads the Records asks for the new key; so nothing is signed without it, whatever fails now.
    publisher.keys = keys.rotated(rotation, private)
    finish(folder, entry, rotation)
    # From here on keys/ says the same as the Records.
    publish()
    # From here on either vkey leads to the other.
    return new


def _new_key(keys: Keys) -> Ed25519PrivateKey:
    taken = {key.key_id for key in keys.ring.keys}
    while True:  # an id has four bytes: two keys may share one
        private = Ed25519PrivateKey.generate()
        if verifier_of(keys.origin, private).key_id not in taken:
            return private


def _draft(work: Rotate, old: note.VerifierKey, new: note.VerifierKey, until: dt.datetime) -> Draft:
    body: JsonObject = {
        "keys": {"old": old.to_text(), "new": new.to_text(), "until": utc_text(until)},
        "reason": work.reason,
    }
    if work.operator is not None:
        body["operator"] = work.operator
    return Draft(keyring.TYP, body)


def _last_record(connection: sqlite3.Connection) -> bytes:
    row = connection.execute("SELECT entry FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
    return bytes(row[0]) if row else b"{}"


def settle(folder: Path, keys: Keys, connection: sqlite3.Connection) -> Keys:
    """Do what a crash has left of the last rotation; returns the keys as they are then. Under the ledger's lock.

    Raises:
        LedgerError: the last Record hands over to a key that is not in ``folder``.
        SettingsError: the files in ``folder`` do not fit together.
        OSError: they cannot be written.
    """
    size = connection.execute("SELECT coalesce(max(seq) + 1, 0) FROM entries").fetchone()[0]
    entry = _last_record(connection)
    rotation = keyring.rotation_at(size - 1, entry) if size else None
    if rotation is not None and rotation not in keys.rotations:
        if rotation.old != keys.verifier or _next_key(folder, keys.origin) != rotation.new:
            raise LedgerError(f"record {size - 1} hands over to a key that {folder} does not hold: {_RESTORE}")
        finish(folder, entry, rotation)
    elif keys.rotations:
        lines = keyfiles.read(folder / ROTATIONS_FILE, 1 << 30).splitlines()
        finish(folder, lines[-1], keys.rotations[-1])
    else:
        return keys
    return read_keys(folder)


_RESTORE: Final = "restore keys/ from a backup made after the rotation"


def _next_key(folder: Path, origin: str) -> note.VerifierKey | None:
    path = folder / NEXT_FILE
    return verifier_of(origin, keyfiles.read_private(path)) if path.exists() else None


def finish(folder: Path, entry: bytes, rotation: Rotation) -> None:
    """Bring the files in ``folder`` after ``rotation``, whose Record ``entry`` is durable; does only what is not done.

    Raises:
        SettingsError: they do not fit together.
        OSError: they cannot be written.
    """
    private = keyfiles.read_private(folder / "ledger.pem")
    if verifier_of(rotation.old.name, private) == rotation.old:
        old = folder / OLD_DIR
        old.mkdir(mode=0o700, exist_ok=True)
        keyfiles.replace(old_path(folder, rotation.old, "vkey"), vkey_line(rotation.old))
        keyfiles.replace(old_path(folder, rotation.old, "pem"), keyfiles.private_pem(private))
        keyfiles.sync(folder)
        # From here on the old key is kept in old/, so its place may be taken.
        _list(folder / ROTATIONS_FILE, entry)
        # From here on open_keys takes next.pem for the ledger's key.
        (folder / NEXT_FILE).rename(folder / "ledger.pem")
        keyfiles.sync(folder)
        # From here on it is the ledger's key by its name too.
        private = keyfiles.read_private(folder / "ledger.pem")
    if verifier_of(rotation.new.name, private) != rotation.new:
        raise SettingsError(f"{folder / 'ledger.pem'} is neither key of the rotation in record {rotation.index}")
    for name, data in (("ledger.pub.pem", keyfiles.public_pem(private)), ("ledger.vkey", vkey_line(rotation.new))):
        if keyfiles.read(folder / name) != data:
            keyfiles.replace(folder / name, data)


def _list(path: Path, entry: bytes) -> None:
    known = keyfiles.read(path, 1 << 30) if path.exists() else b""
    if not known.endswith(entry + b"\n"):
        keyfiles.replace(path, known + entry + b"\n")


def tidy(folder: Path, keys: Keys) -> None:
    """Remove a new key that no Record names: what a crash before step 2 leaves. Once the ledger is open.

    Raises:
        SettingsError: it is no key.
        OSError: it cannot be removed.
    """
    keyfiles.remove_drafts(folder)
    keyfiles.remove_drafts(folder / OLD_DIR)
    if _next_key(folder, keys.origin) not in (None, keys.verifier):
        (folder / NEXT_FILE).unlink()
        keyfiles.sync(folder)
