"""The gateway's keys: made once at the first start, read strictly ever after.

`keys/` (0700) holds, each 0600: `ledger.pem` (Ed25519, PKCS #8), `ledger.pub.pem`, `ledger.vkey` (C2SP), `masking.key`
and `request.key` (32 random bytes each) and `origin`. Losing `ledger.pem` ends the ledger; so nothing is ever made anew
beside a ledger that exists.
"""

import dataclasses
import hashlib
import logging
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from holdfast.errors import LedgerError, SettingsError
from holdfast.ledger import ed25519, note

SECRET_BYTES: Final = 32
KEY_FILE_BYTES_MAX: Final = 4096  # the longest of them has about 120
KEYS_DIR: Final = "keys"
_FILES: Final = ("ledger.pem", "ledger.pub.pem", "ledger.vkey", "masking.key", "request.key", "origin")
_ORIGIN: Final = re.compile(r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*")
_LOG: Final = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Keys:
    """The gateway's secrets. ``ledger`` signs checkpoints; ``masking`` and ``request`` are 32 bytes for HMAC."""

    ledger: Ed25519PrivateKey = dataclasses.field(repr=False)
    origin: str
    masking: bytes = dataclasses.field(repr=False)
    request: bytes = dataclasses.field(repr=False)

    @property
    def verifier(self) -> note.VerifierKey:
        """The public half, as signed notes name it."""
        return note.VerifierKey(self.origin, self.ledger.public_key().public_bytes_raw())


def verify_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """:func:`holdfast.ledger.ed25519.verify`, ten times as fast; the same answer for every input."""
    if not ed25519.is_good_form(public, signature):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def open_keys(directory: Path, *, origin: str | None) -> Keys:
    """The keys in ``directory``/keys; made now if this is the first start.

    Args:
        directory: the data folder.
        origin: name of the ledger, such as ``gw.example.com/ledger/n1``; None takes the one on disk, or, at the first
            start, one made of the public key.

    Raises:
        SettingsError: a key is missing, malformed, readable by others, or of another origin.
    """
    if origin is not None and (_ORIGIN.fullmatch(origin) is None or len(origin) > note.NAME_CHARS_MAX):
        raise SettingsError("the ledger's origin is letters, digits and . _ ~ - in parts separated by /")
    folder = directory / KEYS_DIR
    if not folder.exists():
        _create(directory, folder, origin)
    keys = _read(folder)
    if origin is not None and origin != keys.origin:
        raise SettingsError(f"{folder / 'origin'} names another origin than the options do; a ledger keeps its origin")
    return keys


def _create(directory: Path, folder: Path, origin: str | None) -> None:
    if (directory / "ledger.db").exists():
        raise SettingsError(f"{folder} is missing, but ledger.db exists: restore the keys from a backup")
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".keys-", dir=directory))
    try:
        _write_all(draft, origin)
        draft.rename(folder)  # all of them or none
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _sync(directory)
    _LOG.info("created new keys in %s; back them up, the ledger cannot go on without them", folder)


def _write_all(folder: Path, origin: str | None) -> None:
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    name = origin or f"localhost/ledger/{hashlib.sha256(public).hexdigest()[:16]}"
    contents = {
        "ledger.pem": private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "ledger.pub.pem": private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "ledger.vkey": note.VerifierKey(name, public).to_text().encode() + b"\n",
        "masking.key": secrets.token_bytes(SECRET_BYTES),
        "request.key": secrets.token_bytes(SECRET_BYTES),
        "origin": name.encode() + b"\n",
    }
    for file_name, data in contents.items():
        descriptor = os.open(folder / file_name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    _sync(folder)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read(folder: Path) -> Keys:
    _check_mode(folder, folder.lstat(), stat.S_ISDIR)
    contents = {name: _read_file(folder / name) for name in _FILES}
    try:
        private = load_pem_private_key(contents["ledger.pem"], password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"{folder / 'ledger.pem'} is not a private key in PEM without a password") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise SettingsError(f"{folder / 'ledger.pem'} is not an Ed25519 key")
    for name in ("masking.key", "request.key"):
        if len(contents[name]) != SECRET_BYTES:
            raise SettingsError(f"{folder / name} does not have {SECRET_BYTES} bytes")
    origin = _text(contents["origin"])
    if _ORIGIN.fullmatch(origin) is None:
        raise SettingsError(f"{folder / 'origin'} does not hold an origin")
    keys = Keys(private, origin, contents["masking.key"], contents["request.key"])
    _check_vkey(folder / "ledger.vkey", _text(contents["ledger.vkey"]), keys)
    return keys


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace").removesuffix("\n")


def _check_vkey(path: Path, vkey: str, keys: Keys) -> None:
    try:
        fits = note.parse_vkey(vkey) == keys.verifier
    except LedgerError:
        fits = False
    if not fits:
        raise SettingsError(f"{path} does not belong to ledger.pem and origin beside it")


def _read_file(path: Path) -> bytes:
    try:
        # No link: it could lead to a file that others may write.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: restore it from a backup") from None
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        _check_mode(path, os.fstat(descriptor), stat.S_ISREG)
        data = file.read(KEY_FILE_BYTES_MAX + 1)
    if len(data) > KEY_FILE_BYTES_MAX:
        raise SettingsError(f"{path} is longer than {KEY_FILE_BYTES_MAX} bytes")
    return data


def _check_mode(path: Path, status: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    if not is_kind(status.st_mode):
        raise SettingsError(f"{path} is not a plain file or folder")
    if status.st_mode & 0o077:
        mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
        raise SettingsError(f"{path} is open to others than its owner: chmod {mode} {path}")
    if status.st_uid not in (os.geteuid(), 0):
        raise SettingsError(f"{path} belongs to another user")
