"""Which keys sign a checkpoint: the ledger's key always, and an earlier one for as long as its rotation says.

The order of the signature lines is fixed (the ledger's key, then the key that hands over, then earlier ones by the time
until which they sign, latest first), so that the keys that sign later are always the first ones of those that would
have signed earlier. A note that a crash cut short can therefore be completed even if a key's time ran out in between.
"""

import dataclasses
import datetime as dt
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.errors import LedgerError
from holdfast.ledger import note
from holdfast.ledger.keeping import keyfiles
from holdfast.ledger.keyring import Rotation
from holdfast.ledger.keys import OLD_DIR, Keys, old_path, verifier_of
from holdfast.ledger.schema import KEYS_DIR

_NEVER: Final = dt.datetime.min.replace(tzinfo=dt.UTC)
_LOG: Final = logging.getLogger(__name__)


def notes(keys: Keys, text: str, before: int, now: dt.datetime) -> Iterator[note.Note]:
    """The checkpoint ``text`` as it is signed now, then as it may have been signed by a start that a crash ended.

    Args:
        keys: the ledger's keys.
        text: the checkpoint.
        before: size of the checkpoint before it.
        now: what tells whose time is over.
    """
    signed = note.sign_note(text, keys.verifier, keys.ledger.sign)
    waiting = _waiting(keys, before)
    for count in range(len(waiting) + 1):
        if count == len(waiting) or not _signs(waiting[count][0], before, now):
            yield signed
        if count < len(waiting):
            more = note.sign_note(text, waiting[count][0].old, waiting[count][1].sign)
            signed = note.Note(text, (*signed.signatures, *more.signatures))


def _waiting(keys: Keys, before: int) -> list[tuple[Rotation, Ed25519PrivateKey]]:
    """Earlier keys whose private half is still there, in the order in which they sign."""
    by_key = {verifier_of(keys.origin, private): private for private in keys.old}
    found = [(rotation, by_key[rotation.old]) for rotation in keys.rotations if rotation.old in by_key]
    return sorted(found, key=lambda item: (item[0].index >= before, item[0].until_at or _NEVER), reverse=True)


def check_handover(keys: Keys, before: int) -> None:
    """Refuse to sign the first checkpoint after a rotation without the old key.

    Raises:
        LedgerError: its private half is missing, and the checkpoint before is of size ``before``.
    """
    held = {verifier_of(keys.origin, private) for private in keys.old}
    for rotation in keys.rotations:
        if rotation.index >= before and rotation.old not in held:
            path = f"{KEYS_DIR}/{OLD_DIR}/{rotation.old.key_id.hex()}.pem"
            raise LedgerError(
                f"{path} is missing, and must sign the checkpoint after record {rotation.index}: restore it"
            )


def _signs(rotation: Rotation, before: int, now: dt.datetime) -> bool:
    # The first checkpoint after a rotation carries both signatures, however long it took to come.
    return rotation.index >= before or (rotation.until_at or _NEVER) > now


def retire(folder: Path, keys: Keys, size: int, now: dt.datetime) -> Keys:
    """Remove the private keys that sign no more, given that the checkpoint of ``size`` is durable.

    A file that cannot be removed is told of and tried again with the next checkpoint: the key in it signs nothing.
    """
    over = {rotation.old for rotation in keys.rotations if not _signs(rotation, size, now)}
    kept = []
    for private in keys.old:
        key = verifier_of(keys.origin, private)
        if key not in over or not _is_removed(old_path(folder, key, "pem")):
            kept.append(private)
    return keys if len(kept) == len(keys.old) else dataclasses.replace(keys, old=tuple(kept))


def _is_removed(path: Path) -> bool:
    try:
        path.unlink(missing_ok=True)
        keyfiles.sync(path.parent)
    except OSError as error:
        _LOG.error("the ledger's old private key is out of use but %s cannot be removed: %s", path, error.strerror)
        return False
    _LOG.info("removed the ledger's old private key from %s; its vkey stays in %s", path, OLD_DIR)
    return True
