"""A witness's folder: its key, made once, and the lock that keeps a second process out."""

import fcntl
import os
import stat
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from holdfast.errors import LedgerError, SettingsError
from holdfast.witness import cosignature

KEY_FILE: Final = "witness.pem"
VKEY_FILE: Final = "witness.vkey"
LOCK_FILE: Final = "witness.lock"
KEY_FILE_BYTES_MAX: Final = 4096


class Signer:
    """The witness's key: its public half and what it signs."""

    def __init__(self, private: Ed25519PrivateKey, name: str) -> None:
        self._private: Final = private
        self.key: Final = cosignature.CosignerKey(name, private.public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        """64 bytes of Ed25519."""
        return self._private.sign(message)


def create(folder: Path, name: str) -> Signer:
    """Make ``folder`` (0700) with a new key (0600) for a witness called ``name``.

    Raises:
        SettingsError: there is a key already, the name is none, or the folder cannot be written.
    """
    if (folder / KEY_FILE).exists() or (folder / VKEY_FILE).exists():
        raise SettingsError(f"{folder} holds a witness already; a new key would be a new witness")
    private = Ed25519PrivateKey.generate()
    try:
        signer = Signer(private, name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(folder / KEY_FILE, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        _write(folder / VKEY_FILE, signer.key.to_text().encode() + b"\n")
        _sync(folder)
    except LedgerError as error:
        raise SettingsError(str(error)) from None
    except OSError as error:
        raise SettingsError(f"{folder} cannot be written: {error.strerror}") from None
    return signer


def open_signer(folder: Path) -> Signer:
    """The key in ``folder``.

    Raises:
        SettingsError: it is missing, readable by others, malformed, or not the one that the vkey beside it names.
    """
    path = folder / KEY_FILE
    key = read_vkey(folder)
    try:
        private = load_pem_private_key(_read_secret(path), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"{path} is not a private key in PEM without a password") from None
    if not isinstance(private, Ed25519PrivateKey) or private.public_key().public_bytes_raw() != key.public:
        raise SettingsError(f"{path} is not the key that {VKEY_FILE} names")
    return Signer(private, key.name)


def read_vkey(folder: Path) -> cosignature.CosignerKey:
    """The public half, which is no secret.

    Raises:
        SettingsError: there is no witness in ``folder``.
    """
    path = folder / VKEY_FILE
    try:
        return cosignature.parse_vkey(path.read_text("utf-8").removesuffix("\n"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}; begin with `init`") from None
    except (LedgerError, UnicodeDecodeError):
        raise SettingsError(f"{path} is not the vkey of a witness") from None


def lock(folder: Path) -> int:
    """Take the folder for this process alone; the descriptor keeps it until it is closed.

    Raises:
        SettingsError: another process serves it.
    """
    try:
        descriptor = os.open(folder / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(f"{folder} cannot be used: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise SettingsError(f"another process serves the witness in {folder}") from None
    return descriptor


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read_secret(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            raise SettingsError(f"{path} is open to others than its owner: chmod 600 {path}")
        return file.read(KEY_FILE_BYTES_MAX)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
