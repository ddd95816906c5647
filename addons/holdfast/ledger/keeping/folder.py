"""The data folder as the ledger's one writer holds it."""

import fcntl
import os
from pathlib import Path
from typing import Final

from holdfast.errors import LedgerError

LOCK_FILE: Final = "ledger.lock"


def lock(directory: Path) -> int:
    """A descriptor that holds the lock of the one writer until it is closed.

    Raises:
        LedgerError: another process holds it, or the folder cannot be used.
    """
    try:
        descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LedgerError(f"{directory} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise LedgerError(f"another process has the ledger in {directory} open; one ledger has one writer") from None
    return descriptor
