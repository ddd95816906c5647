"""A new epoch for a ledger that cannot go on: the old one is kept as it is, the new one begins by naming it.

The order, under the ledger's lock; what each step begins with has been made durable by the one before:

1. `recover.pending` is written: from here on nothing opens the old ledger for writing any more.
2. `abandoned/<n>/` is made with `abandoned.json` in it, and the old files are moved there, unchanged, one rename each.
3. `keys.next/` is made whole: a new ledger key and the new origin; masking.key and request.key are copies.
4. `keys/` is moved to `abandoned/<n>/keys/`, and `keys.next/` becomes `keys/`. From here on the folder is the new
   epoch's.
5. The new ledger is opened, and its genesis Record names the old head. Then `recover.pending` goes.

Whatever step a crash ends, the next `recover` goes on from there; after step 4 the next start of the gateway does too.

masking.key and request.key stay the same, so that a pseudonym means the same value before and after, and the digest in
an old approval can be compared with that of a request seen later. Holds and approvals do not stay (`desk.db` is moved
too): that an approval is used once is kept by the ledger, and the new one does not know what the old one has seen.
"""

import dataclasses
import os
import secrets
from pathlib import Path
from typing import Final

from holdfast import jsontext
from holdfast.clock import Clock, utc_text
from holdfast.errors import LedgerError, SettingsError
from holdfast.jsontext import JsonObject
from holdfast.ledger import checkpoints, note, schema
from holdfast.ledger.draft import Draft, prepare
from holdfast.ledger.keeping import epochs, folder, keyfiles
from holdfast.ledger.keeping.examining import Remains, examine
from holdfast.ledger.keys import SECRET_BYTES, create, read_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.schema import KEYS_DIR

_NEXT_DIR: Final = "keys.next"
_KEPT_SECRETS: Final = ("masking.key", "request.key")
_DATABASES: Final = (schema.LEDGER_FILE, schema.PAYLOAD_FILE, "witness.db", "desk.db")
_MOVED: Final = (
    # A database before its -wal and -shm: once it is gone, no reader makes new ones in their place.
    *(name + suffix for name in _DATABASES for suffix in ("", "-wal", "-shm")),
    checkpoints.FILE,
    "erase.pending",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Recovered:
    """The new epoch: its origin and key, where the old ledger is now, and what its genesis says.

    ``renewed``: secrets that were missing and had to be made anew. ``fault``: why the old ledger did not open; None
    where it did, or where an earlier run has told.
    """

    origin: str
    vkey: str
    kept: Path
    genesis: JsonObject
    renewed: tuple[str, ...]
    fault: str | None


def recover(
    directory: Path,
    clock: Clock,
    *,
    build: JsonObject,
    reason: str,
    operator: JsonObject | None,
    even_if_whole: bool = False,
) -> Recovered:
    """Abandon the ledger in ``directory`` and begin its next epoch; or complete a recovery that was interrupted.

    Args:
        directory: the data folder.
        clock: what stamps Records.
        build: the ``gw`` member of the genesis Record.
        reason: why, for the genesis Record. That of an interrupted recovery stays.
        operator: who asks.
        even_if_whole: also where the ledger opens.

    Raises:
        LedgerError: a process has the ledger open; nothing needs recovering; or there is no checkpoint to name.
        SettingsError: a key that stays cannot be read.
        OSError: a file cannot be moved or written.
    """
    if not directory.is_dir() or (directory / epochs.MARKER_FILE).exists():
        raise LedgerError(f"{directory} holds no ledger that could go on")
    lock = folder.lock(directory)
    try:
        pending, fault = epochs.read_pending(directory), None
        if pending is None:
            old = examine(directory, clock)
            if old.fault is None and not even_if_whole:
                raise LedgerError("the ledger opens, so there is nothing to recover; see --even-if-whole")
            pending, fault = _plan(directory, old, reason, operator), old.fault
            pending.write(directory)
        # From here on the old ledger has ended, whatever happens: nothing is appended to it any more.
        kept = directory / epochs.ABANDONED_DIR / str(pending.number)
        if _origin(directory / KEYS_DIR) != pending.origin:
            _move(directory, kept, pending, clock)
    finally:
        os.close(lock)
    # From here on any start begins the new epoch: this one, unless a gateway is faster.
    keys = read_keys(directory / KEYS_DIR)
    try:
        Ledger.open(directory, keys, clock, build=build).close()
    except LedgerError:
        if epochs.read_pending(directory) is not None:
            raise
    renewed = tuple(name for name in _KEPT_SECRETS if not (kept / KEYS_DIR / name).exists())
    return Recovered(keys.origin, keys.verifier.to_text(), kept, pending.genesis, renewed, fault)


def _plan(directory: Path, old: Remains, reason: str, operator: JsonObject | None) -> epochs.Pending:
    earlier = [int(path.name) for path in (directory / epochs.ABANDONED_DIR).glob("*") if path.name.isdecimal()]
    number = 1 + max(earlier, default=0)
    # The second epoch of x is x/2 and the third x/3: the number of the one that ends is dropped first.
    base = old.head.origin.removesuffix(f"/{number}") if number > 1 else old.head.origin
    origin = f"{base}/{number + 1}"
    note.check_name(origin)
    abandoned: JsonObject = {"log": old.head.origin, "size": old.head.size, "root": old.head.root.hex()}
    if old.found is not None:
        abandoned["found"] = old.found
    if old.key is not None:
        abandoned["vkey"] = old.key.to_text()
    genesis: JsonObject = {"abandoned": abandoned, "reason": reason}
    if operator is not None:
        genesis["operator"] = operator
    # What could not be recorded or kept is refused now, not halfway.
    prepare(Draft("ledger.genesis", {"gw": {"version": "0"}, **genesis}))
    for name in _KEPT_SECRETS:
        _secret(directory / KEYS_DIR / name)
    return epochs.Pending(number, origin, genesis)


def _secret(path: Path) -> bytes:
    data = keyfiles.read(path) if path.exists() else secrets.token_bytes(SECRET_BYTES)
    if len(data) != SECRET_BYTES:
        raise SettingsError(f"{path} does not have {SECRET_BYTES} bytes")
    return data


def _origin(keys: Path) -> str | None:
    try:
        return keyfiles.read(keys / "origin").decode("utf-8", "replace").removesuffix("\n")
    except SettingsError:
        return None


def _move(directory: Path, kept: Path, pending: epochs.Pending, clock: Clock) -> None:
    """Steps 2 to 4, as far as they are not done."""
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker: JsonObject = {"successor": pending.origin, "at": utc_text(clock.now_at()), **pending.genesis}
    keyfiles.replace(kept / epochs.MARKER_FILE, jsontext.canonical(marker) + b"\n")
    keyfiles.sync(kept.parent)
    keyfiles.sync(directory)
    # From here on the folder says of itself that its ledger is not to be continued.
    for name in _MOVED:
        if (directory / name).exists():
            (directory / name).rename(kept / name)
    keyfiles.sync(kept)
    keyfiles.sync(directory)
    # From here on the data folder holds nothing of the old ledger but its keys.
    fresh, keys = directory / _NEXT_DIR, directory / KEYS_DIR
    if not fresh.exists():
        masking, request = (_secret(keys / name) for name in _KEPT_SECRETS)
        create(fresh, pending.origin, masking=masking, request=request)
    if keys.exists():
        keys.rename(kept / KEYS_DIR)
        keyfiles.sync(kept)
        keyfiles.sync(directory)
    # From here on the old keys are with the old ledger, and the new ones are whole.
    fresh.rename(keys)
    keyfiles.sync(directory)


def loss(recovered: Recovered) -> list[str]:
    """What is lost, in sentences for the operator."""
    abandoned = recovered.genesis["abandoned"]
    assert isinstance(abandoned, dict)
    size, found = abandoned["size"], abandoned.get("found")
    assert isinstance(size, int)
    lines = [f"{abandoned['log']} has ended. Its last checkpoint covers {size} Records."]
    if not isinstance(found, int):
        lines.append("Its database cannot be read: how many of these Records are left is not known.")
    elif found < size:
        lines.append(f"Its database holds {found} Records: {size - found} signed Records are lost.")
    elif found > size:
        lines.append(f"Its database holds {found} Records: no signature covers the last {found - size} of them.")
    else:
        lines.append("Its database holds as many Records; whether they are the signed ones, `verify` says.")
    if not (recovered.kept / schema.PAYLOAD_FILE).exists():
        lines.append(f"{schema.PAYLOAD_FILE} is missing: the masked content of its Records is lost.")
    if "vkey" not in abandoned:
        lines.append("No key in keys/ has signed that checkpoint: nobody can vouch for it any more.")
    if "masking.key" in recovered.renewed:
        lines.append("masking.key was missing and is new: the same value has another pseudonym from here on.")
    if "request.key" in recovered.renewed:
        lines.append("request.key was missing and is new: digests of requests cannot be compared with earlier ones.")
    lines.append("Calls that waited for a reply, holds, and approvals that were not used yet have ended with it.")
    return lines
