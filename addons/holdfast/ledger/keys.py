"""The gateway's keys: made once at the first start, read strictly ever after.

`keys/` (0700) holds, each 0600: `ledger.pem` (Ed25519, PKCS #8), `ledger.pub.pem`, `ledger.vkey` (C2SP), `masking.key`
and `request.key` (32 random bytes each) and `origin`. Losing `ledger.pem` ends the ledger; so nothing is ever made anew
beside a ledger that exists.

After a rotation there are also `rotations.jsonl`, the `ledger.rotated` Records byte for byte, and in `old/` the vkey of
every earlier key, with its private half for as long as it signs beside the new one. How they come about, and what a
crash can leave: rotating.py. What is in the way of being changed can be read here at any moment.
"""

import dataclasses
import hashlib
import logging
import re
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.errors import LedgerError, SettingsError
from holdfast.ledger import note, record
from holdfast.ledger.keeping import epochs, keyfiles
from holdfast.ledger.keyring import ROTATIONS_MAX, KeyRing, Rotation, rotation_of
from holdfast.ledger.schema import KEYS_DIR

SECRET_BYTES: Final = 32
OLD_DIR: Final = "old"
ROTATIONS_FILE: Final = "rotations.jsonl"
NEXT_FILE: Final = "next.pem"
_ROTATIONS_BYTES_MAX: Final = ROTATIONS_MAX * record.RECORD_BYTES_MAX
_READS_MAX: Final = 2  # a rotation may come between the reading of two files; a second one in the same moment cannot
_ORIGIN: Final = re.compile(r"[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*")
_LOG: Final = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Keys:
    """The gateway's secrets. ``ledger`` signs checkpoints; ``masking`` and ``request`` are 32 bytes for HMAC.

    ``rotations`` are those before ``ledger``; ``old`` the private keys of them that are still there, to sign beside it.
    """

    ledger: Ed25519PrivateKey = dataclasses.field(repr=False)
    origin: str
    masking: bytes = dataclasses.field(repr=False)
    request: bytes = dataclasses.field(repr=False)
    rotations: tuple[Rotation, ...] = ()
    old: tuple[Ed25519PrivateKey, ...] = dataclasses.field(default=(), repr=False)

    @property
    def verifier(self) -> note.VerifierKey:
        """The public half, as signed notes name it."""
        return verifier_of(self.origin, self.ledger)

    @property
    def ring(self) -> KeyRing:
        """Every key of the ledger, and from where on it signs. `verify` builds the same from the Records."""
        return KeyRing.of(self.rotations, self.verifier)

    def rotated(self, rotation: Rotation, private: Ed25519PrivateKey) -> "Keys":
        """The keys after ``rotation`` to ``private``."""
        return dataclasses.replace(
            self, ledger=private, rotations=(*self.rotations, rotation), old=(*self.old, self.ledger)
        )


def verifier_of(origin: str, private: Ed25519PrivateKey) -> note.VerifierKey:
    """The public half of ``private`` under the name of its ledger."""
    return note.VerifierKey(origin, private.public_key().public_bytes_raw())


def open_keys(directory: Path, *, origin: str | None) -> Keys:
    """The keys in ``directory``/keys; made now if this is the first start.

    Args:
        directory: the data folder.
        origin: name of the ledger, such as ``gw.example.com/ledger/n1``; None takes the one on disk, or, at the first
            start, one made of the public key.

    Raises:
        SettingsError: a key is missing, malformed, readable by others, or of another origin; or a recovery was
            interrupted.
    """
    if origin is not None and (_ORIGIN.fullmatch(origin) is None or len(origin) > note.NAME_CHARS_MAX):
        raise SettingsError("the ledger's origin is letters, digits and . _ ~ - in parts separated by /")
    folder = directory / KEYS_DIR
    pending = _pending(directory)
    if not folder.exists():
        if pending is not None:
            raise SettingsError(epochs.AGAIN)
        _create(directory, folder, origin)
    keys = read_keys(folder)
    if pending is not None and pending.origin != keys.origin:
        raise SettingsError(epochs.AGAIN)
    if origin is not None and origin != keys.origin:
        raise SettingsError(_other_origin(folder, origin, keys.origin))
    return keys


def _pending(directory: Path) -> epochs.Pending | None:
    try:
        return epochs.read_pending(directory)
    except LedgerError as error:
        raise SettingsError(str(error)) from None


def _other_origin(folder: Path, asked: str, found: str) -> str:
    if re.fullmatch(re.escape(asked) + r"/[0-9]+", found):
        return (
            f"option holdfast_origin names {asked}, but that ledger was abandoned and goes on as {found}: "
            f"leave the option out, or set holdfast_origin={found}"
        )
    return f"{folder / 'origin'} names another origin than the options do; a ledger keeps its origin"


def _create(directory: Path, folder: Path, origin: str | None) -> None:
    if (directory / "ledger.db").exists():
        raise SettingsError(f"{folder} is missing, but ledger.db exists: restore the keys from a backup")
    create(folder, origin, masking=secrets.token_bytes(SECRET_BYTES), request=secrets.token_bytes(SECRET_BYTES))
    _LOG.info("created new keys in %s; back them up, the ledger cannot go on without them", folder)


def create(folder: Path, origin: str | None, *, masking: bytes, request: bytes) -> None:
    """Make ``folder`` with a new key for a ledger called ``origin`` (None: named after the key), all of it or nothing.

    Raises:
        OSError: it cannot be written.
    """
    directory = folder.parent
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".keys-", dir=directory))
    try:
        _write_all(draft, origin, masking, request)
        draft.rename(folder)  # all of them or none
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    keyfiles.sync(directory)


def _write_all(folder: Path, origin: str | None, masking: bytes, request: bytes) -> None:
    private = Ed25519PrivateKey.generate()
    name = origin or f"localhost/ledger/{hashlib.sha256(private.public_key().public_bytes_raw()).hexdigest()[:16]}"
    contents = {
        "ledger.pem": keyfiles.private_pem(private),
        "ledger.pub.pem": keyfiles.public_pem(private),
        "ledger.vkey": vkey_line(verifier_of(name, private)),
        "masking.key": masking,
        "request.key": request,
        "origin": name.encode() + b"\n",
    }
    for file_name, data in contents.items():
        keyfiles.write_new(folder / file_name, data)
    keyfiles.sync(folder)


def vkey_line(key: note.VerifierKey) -> bytes:
    """A public key as its file holds it."""
    return key.to_text().encode() + b"\n"


def read_keys(folder: Path) -> Keys:
    """The keys in ``folder``, which exists; also while a rotation changes them.

    Raises:
        SettingsError: see :func:`open_keys`.
    """
    keyfiles.check_mode(folder, folder.lstat(), stat.S_ISDIR)
    for _ in range(_READS_MAX - 1):
        try:
            return _read(folder)
        except SettingsError:
            continue
    return _read(folder)


def _read(folder: Path) -> Keys:
    private = keyfiles.read_private(folder / "ledger.pem")
    keyfiles.read(folder / "ledger.pub.pem")
    secret = {name: keyfiles.read(folder / name) for name in ("masking.key", "request.key")}
    for name, data in secret.items():
        if len(data) != SECRET_BYTES:
            raise SettingsError(f"{folder / name} does not have {SECRET_BYTES} bytes")
    origin = _text(folder / "origin")
    if _ORIGIN.fullmatch(origin) is None:
        raise SettingsError(f"{folder / 'origin'} does not hold an origin")
    rotations = _rotations(folder / ROTATIONS_FILE, origin)
    vkey, at_rest = _text(folder / "ledger.vkey"), verifier_of(origin, private)
    fitting = {at_rest.to_text()}
    if rotations:
        # Between two steps of rotating.finish, key and vkey are those of either side of the last rotation.
        last = rotations[-1]
        if at_rest == last.old:
            private = keyfiles.read_private(folder / NEXT_FILE)
        if verifier_of(origin, private) != last.new:
            raise SettingsError(f"{folder / 'ledger.pem'} is not the key that {ROTATIONS_FILE} beside it hands over to")
        fitting = {last.old.to_text(), last.new.to_text()}
    if vkey not in fitting:
        raise SettingsError(f"{folder / 'ledger.vkey'} does not belong to ledger.pem and origin beside it")
    return Keys(private, origin, secret["masking.key"], secret["request.key"], rotations, _old(folder, rotations))


def _text(path: Path) -> str:
    return keyfiles.read(path).decode("utf-8", "replace").removesuffix("\n")


def _rotations(path: Path, origin: str) -> tuple[Rotation, ...]:
    if not path.exists():
        return ()
    try:
        lines = keyfiles.read(path, _ROTATIONS_BYTES_MAX).splitlines()
        found = tuple(rotation_of(record.decode(line)) for line in lines)
        rotations = tuple(rotation for rotation in found if rotation is not None)
        ring = KeyRing.of(rotations, rotations[-1].new)
    except (LedgerError, IndexError):
        raise SettingsError(f"{path} is not the list of this ledger's rotations") from None
    if len(rotations) < len(found) or ring.origin != origin:
        raise SettingsError(f"{path} is not the list of this ledger's rotations")
    return rotations


def _old(folder: Path, rotations: tuple[Rotation, ...]) -> tuple[Ed25519PrivateKey, ...]:
    found = []
    for rotation in rotations:
        path = old_path(folder, rotation.old, "pem")
        if not path.exists():
            continue
        private = keyfiles.read_private(path)
        if private.public_key().public_bytes_raw() != rotation.old.public:
            raise SettingsError(f"{path} is not the key that its name says")
        found.append(private)
    return tuple(found)


def old_path(folder: Path, key: note.VerifierKey, suffix: str) -> Path:
    """Where an earlier key is kept: its vkey for good, its private half (`pem`) until it signs no more."""
    return folder / OLD_DIR / f"{key.key_id.hex()}.{suffix}"
