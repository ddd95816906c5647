"""Files in `keys/`: read strictly, and written so that a crash leaves the old content or the new, never half of one."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from holdfast.errors import SettingsError

KEY_FILE_BYTES_MAX: Final = 4096  # the longest of them has about 120
_DRAFT: Final = ".new"


def private_pem(private: Ed25519PrivateKey) -> bytes:
    """A private key as its file holds it."""
    return private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(private: Ed25519PrivateKey) -> bytes:
    """The public half as its file holds it."""
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def read_private(path: Path) -> Ed25519PrivateKey:
    """The Ed25519 key in the file at ``path``.

    Raises:
        SettingsError: see :func:`read`; or it holds no such key.
    """
    try:
        private = load_pem_private_key(read(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"{path} is not a private key in PEM without a password") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SettingsError(f"{path} is not an Ed25519 key")
    return private


def read(path: Path, bytes_max: int = KEY_FILE_BYTES_MAX) -> bytes:
    """The content of a file that is its owner's alone.

    Raises:
        SettingsError: missing, a link, open to others, or too long.
    """
    try:
        # No link: it could lead to a file that others may write.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: restore it from a backup") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        check_mode(path, os.fstat(descriptor), stat.S_ISREG)
        data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise SettingsError(f"{path} is longer than {bytes_max} bytes")
    return data


def check_mode(path: Path, status: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    """Refuse what is not its owner's alone.

    Raises:
        SettingsError: of another kind, open to others, or of another user.
    """
    if not is_kind(status.st_mode):
        raise SettingsError(f"{path} is not a plain file or folder")
    if status.st_mode & 0o077:
        mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
        raise SettingsError(f"{path} is open to others than its owner: chmod {mode} {path}")
    if status.st_uid not in (os.geteuid(), 0):
        raise SettingsError(f"{path} belongs to another user")


def write_new(path: Path, data: bytes) -> None:
    """Write a file that must not be there yet, 0600, durable but for its name: see :func:`sync`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` in the place of the file at ``path``, or make it; durable when this returns.

    Raises:
        OSError: it could not be written; the old content is still there.
    """
    draft = path.with_name(path.name + _DRAFT)
    draft.unlink(missing_ok=True)  # what a crash left
    write_new(draft, data)
    draft.rename(path)
    sync(path.parent)


def remove_drafts(folder: Path) -> None:
    """Remove what crashes have left of :func:`replace` in ``folder``."""
    for draft in folder.glob(f"*{_DRAFT}"):
        draft.unlink()


def sync(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
