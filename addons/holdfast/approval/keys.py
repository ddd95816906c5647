"""Ed25519 keys of approvers and of the gateway: made, read, and used to sign statements."""

import base64
import dataclasses
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.approval.dsse import Envelope, pae
from holdfast.approval.statement import PAYLOAD_TYPE, Statement
from holdfast.errors import SettingsError

_KEY_FILE_BYTES_MAX: Final = 16 * 1024  # a PEM key has about 120 bytes


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Signer:
    """Something that signs: its raw public key of 32 bytes, and ``sign(message) -> signature``."""

    public: bytes
    sign: Callable[[bytes], bytes]


class Signs(Protocol):
    """What signs, as its users see it: its key may lie in another process, and may be replaced while they run."""

    @property
    def public(self) -> bytes:
        """The raw public key of 32 bytes that signs now."""

    @property
    def sign(self) -> Callable[[bytes], bytes]:
        """Makes the signature over a message."""


def signer_of(private: Ed25519PrivateKey) -> Signer:
    """A signer over a key held in this process."""
    return Signer(private.public_key().public_bytes_raw(), private.sign)


def key_id(public: bytes) -> str:
    """The name of a key in envelopes: SHA-256 over its 32 raw bytes, as hex."""
    return hashlib.sha256(public).hexdigest()


def public_text(public: bytes) -> str:
    """A public key as ``rules/approval.yaml`` spells it: base64 over its 32 raw bytes."""
    return base64.b64encode(public).decode("ascii")


def sign_statement(statement: Statement, signer: Signs) -> bytes:
    """The statement in a DSSE envelope signed by ``signer``, as canonical JSON."""
    payload = statement.to_bytes()
    signature = signer.sign(pae(PAYLOAD_TYPE, payload))
    return Envelope(PAYLOAD_TYPE, payload, key_id(signer.public), signature).to_bytes()


def load_key(path: Path) -> Ed25519PrivateKey:
    """The private key in the PEM file at ``path``.

    Raises:
        SettingsError: missing, readable by others, or no unencrypted Ed25519 key in PEM.
    """
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()[: _KEY_FILE_BYTES_MAX + 1]
    except OSError as error:
        raise SettingsError(f"the key file {path} cannot be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SettingsError(f"the key file {path} can be read by others; run: chmod 600 {path}")
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SettingsError(f"{path} is no unencrypted private key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{path} is no Ed25519 key; make one with: approve.py enroll --name NAME --key FILE")
    return key


def create_key(path: Path) -> Ed25519PrivateKey:
    """A new private key, written to ``path`` with mode 0600. An existing file is left alone.

    Raises:
        SettingsError: the file exists already, or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(f"the key file {path} cannot be made: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    return key
