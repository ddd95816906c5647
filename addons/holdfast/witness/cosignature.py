"""Cosignatures of C2SP: a witness's word that a checkpoint continues what it saw before. Standard library only.

Source: https://c2sp.org/tlog-cosignature, the Ed25519 type. A cosignature is one more signature line of a checkpoint.
It carries a time, which the checkpoint itself does not.
"""

import base64
import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import ed25519, note

COSIGNATURE_TYPE: Final = 4  # signed-note: the signature type of an Ed25519 cosignature
TIME_BYTES: Final = 8
TIME_S_MAX: Final = 253_402_300_799  # the last second of the year 9999; the format ends later, calendars do not
_LABEL: Final = "cosignature/v1"  # tlog-cosignature, Signed message: so that no other signature can pass for one


@dataclasses.dataclass(frozen=True, slots=True)
class CosignerKey:
    """The public half of a witness's key: a name and 32 bytes of Ed25519."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        note.check_name(self.name)
        if not ed25519.is_good_key(self.public):
            raise LedgerError(f"the key of {self.name} is no Ed25519 public key, or one of small order")

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names this key."""
        hashed = self.name.encode() + b"\n" + bytes([COSIGNATURE_TYPE]) + self.public
        return hashlib.sha256(hashed).digest()[: note.KEY_ID_BYTES]

    def to_text(self) -> str:
        """The key as one line of text, a *vkey*: ``name+hex(id)+base64(type || public)``."""
        coded = base64.b64encode(bytes([COSIGNATURE_TYPE]) + self.public).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{coded}"


def parse_vkey(text: str) -> CosignerKey:
    """The inverse of :meth:`CosignerKey.to_text`.

    Raises:
        LedgerError: not a vkey, not of a witness, or an id that is not this key's.
    """
    name, plus, rest = text.partition("+")
    hex_id, second_plus, coded = rest.partition("+")
    if not plus or not second_plus:
        raise LedgerError("a vkey has three parts with a plus sign between them")
    data = note.decode64(coded, f"the key in the vkey of {name}")
    if data[:1] != bytes([COSIGNATURE_TYPE]):
        raise LedgerError(f"the vkey of {name} is not of a witness (type 0x04, an Ed25519 cosignature)")
    key = CosignerKey(name, data[1:])
    if key.key_id.hex() != hex_id:
        raise LedgerError(f"the vkey of {name} carries the id of another key")
    return key


def message(text: str, time_s: int) -> bytes:
    """What a cosignature of the checkpoint ``text`` (its note's body) at ``time_s`` signs."""
    return f"{_LABEL}\ntime {time_s}\n{text}".encode()


def sign(text: str, key: CosignerKey, at: dt.datetime, sign_bytes: Callable[[bytes], bytes]) -> note.Signature:
    """The cosignature of the checkpoint ``text``; ``sign_bytes`` turns message bytes into 64 bytes.

    Raises:
        LedgerError: the time has no place in a cosignature.
    """
    time_s = int(at.timestamp())
    if not 0 < time_s <= TIME_S_MAX:
        raise LedgerError("a cosignature's time is between 1970 and 9999")
    data = time_s.to_bytes(TIME_BYTES, "big") + sign_bytes(message(text, time_s))
    return note.Signature(key.name, key.key_id, data)


def verify(
    signature: note.Signature, text: str, key: CosignerKey, verify_bytes: note.Verify = ed25519.verify
) -> dt.datetime:
    """The time, aware and UTC, at which ``key`` cosigned the checkpoint ``text`` (its note's body).

    Raises:
        LedgerError: the signature is of another key, malformed, or does not hold.
    """
    if (signature.name, signature.key_id) != (key.name, key.key_id):
        raise LedgerError(f"the cosignature is not by {key.name}")
    if len(signature.data) != TIME_BYTES + ed25519.SIGNATURE_BYTES:
        raise LedgerError(f"the cosignature of {key.name} is malformed")
    time_s = int.from_bytes(signature.data[:TIME_BYTES], "big")
    if not 0 < time_s <= TIME_S_MAX:
        raise LedgerError(f"the cosignature of {key.name} has no time that a calendar knows")
    if not verify_bytes(key.public, message(text, time_s), signature.data[TIME_BYTES:]):
        raise LedgerError(f"the cosignature of {key.name} does not hold")
    return dt.datetime.fromtimestamp(time_s, dt.UTC)
