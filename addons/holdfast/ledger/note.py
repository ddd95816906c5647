"""Signed notes, verifier keys and checkpoints in the formats of C2SP. Standard library only.

Sources: https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint. Reading is strict: what is accepted comes
out byte for byte the same when written again.
"""

import base64
import binascii
import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import ed25519, tree

ED25519_TYPE: Final = 1  # signed-note: the signature type of plain Ed25519
KEY_ID_BYTES: Final = 4
SIGNATURES_MAX: Final = 100  # signed-note asks for at least 16
NOTE_BYTES_MAX: Final = 64 * 1024  # a checkpoint with 100 post-quantum signatures would be larger; none exists
NAME_CHARS_MAX: Final = 255
SIZE_MAX: Final = 2**63 - 1  # SQLite's and most readers' largest integer
_CHECKPOINT_LINES: Final = 3
_DASH: Final = "\u2014 "  # signed-note: a signature line begins with an em dash and a space

type Verify = Callable[[bytes, bytes, bytes], bool]


def decode64(text: str, what: str) -> bytes:
    """The bytes that ``text`` spells in base64, in the one spelling there is; ``what`` it is, for the error.

    Raises:
        LedgerError: it does not.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise LedgerError(f"{what} is not base64") from None
    # Two spellings of the same bytes (stray bits before the padding) would be two notes.
    if base64.b64encode(data).decode("ascii") != text:
        raise LedgerError(f"{what} is not base64 in its one spelling")
    return data


def check_name(name: str) -> None:
    """Refuse what is no key name or origin.

    Raises:
        LedgerError: empty, too long, or with a plus sign, white space or a control character.
    """
    if not 0 < len(name) <= NAME_CHARS_MAX:
        raise LedgerError(f"a key name has 1 to {NAME_CHARS_MAX} characters")
    if "+" in name or any(char.isspace() or not char.isprintable() for char in name):
        raise LedgerError("a key name has no plus sign, white space or control character")


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes by which a signature line names an Ed25519 key. signed-note, Signatures."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([ED25519_TYPE]) + public).digest()[:KEY_ID_BYTES]


@dataclasses.dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a note key: a name and 32 bytes of Ed25519."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        if not ed25519.is_good_key(self.public):
            raise LedgerError(f"the key of {self.name} is no Ed25519 public key, or one of small order")

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names this key."""
        return key_id(self.name, self.public)

    def to_text(self) -> str:
        """The key as one line of text, a *vkey*: ``name+hex(id)+base64(type || public)``."""
        coded = base64.b64encode(bytes([ED25519_TYPE]) + self.public).decode("ascii")
        return f"{self.name}+{self.key_id.hex()}+{coded}"


def parse_vkey(text: str) -> VerifierKey:
    """The inverse of :meth:`VerifierKey.to_text`.

    Raises:
        LedgerError: not a vkey, not Ed25519, or an id that is not this key's.
    """
    name, plus, rest = text.partition("+")
    hex_id, second_plus, coded = rest.partition("+")
    if not plus or not second_plus:
        raise LedgerError("a vkey has three parts with a plus sign between them")
    data = decode64(coded, "the key in a vkey")
    if data[:1] != bytes([ED25519_TYPE]):
        raise LedgerError(f"the vkey of {name} is not of type Ed25519")
    key = VerifierKey(name, data[1:])
    if key.key_id.hex() != hex_id:
        raise LedgerError(f"the vkey of {name} carries the id of another key")
    return key


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name and id, and the signature bytes."""

    name: str
    key_id: bytes
    data: bytes

    def to_line(self) -> str:
        """The line with its newline."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.data).decode('ascii')}\n"


@dataclasses.dataclass(frozen=True, slots=True)
class Note:
    """A text (ends with a newline) and its signature lines."""

    text: str
    signatures: tuple[Signature, ...]

    def to_text(self) -> str:
        """The note as it is stored and sent."""
        return self.text + "\n" + "".join(signature.to_line() for signature in self.signatures)


def _parse_signature(line: str) -> Signature:
    name, space, coded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space:
        raise LedgerError("a signature line of a note is malformed")
    check_name(name)
    data = decode64(coded, "a signature of a note")
    if len(data) <= KEY_ID_BYTES:
        raise LedgerError("a signature of a note is empty")
    return Signature(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


def parse_note(data: bytes) -> Note:
    """The note in ``data``; no signature is checked yet, see :func:`open_note`.

    Raises:
        LedgerError: not a signed note.
    """
    if len(data) > NOTE_BYTES_MAX:
        raise LedgerError(f"a note has more than {NOTE_BYTES_MAX} bytes")
    try:
        whole = data.decode("utf-8", "strict")
    except UnicodeDecodeError:
        raise LedgerError("a note is not UTF-8") from None
    if any(char < " " and char != "\n" for char in whole):
        raise LedgerError("a note has a control character")
    text, blank, block = whole.rpartition("\n\n")
    if not blank or not block.endswith("\n"):
        raise LedgerError("a note has no signatures, or is cut short")
    lines = block[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise LedgerError(f"a note has more than {SIGNATURES_MAX} signatures")
    return Note(text + "\n", tuple(_parse_signature(line) for line in lines))


def open_note(data: bytes, keys: Sequence[VerifierKey], verify: Verify = ed25519.verify) -> Note:
    """The note in ``data``, once at least one of ``keys`` has signed it. Lines of unknown keys are ignored.

    Raises:
        LedgerError: not a note, no signature of a known key, or a bad signature under a known key.
    """
    note = parse_note(data)
    known = {(key.name, key.key_id): key for key in keys}
    good = 0
    for signature in note.signatures:
        key = known.get((signature.name, signature.key_id))
        if key is None:
            continue
        # signed-note, Verifying: a bad signature under a known key spoils the whole note.
        if not verify(key.public, note.text.encode(), signature.data):
            raise LedgerError(f"the signature of {key.name} does not hold")
        good += 1
    if not good:
        raise LedgerError("no known key has signed the note")
    return note


def sign_note(text: str, key: VerifierKey, sign: Callable[[bytes], bytes]) -> Note:
    """``text`` with one signature; ``sign`` turns message bytes into 64 bytes.

    Raises:
        LedgerError: the text could not be read back as the text of a note.
    """
    note = Note(text, (Signature(key.name, key.key_id, sign(text.encode())),))
    if not text.endswith("\n") or parse_note(note.to_text().encode()) != note:
        raise LedgerError("a note's text ends with a newline and has no control characters")
    return note


@dataclasses.dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of a log at one moment; the text of a note once signed."""

    origin: str
    size: int
    root: bytes

    def to_text(self) -> str:
        """The three lines of tlog-checkpoint."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """The inverse of :meth:`Checkpoint.to_text`.

    Raises:
        LedgerError: not exactly origin, decimal size and base64 root. Extension lines, which tlog-checkpoint advises
            against, are refused: our own logs never have them.
    """
    lines = text.split("\n")
    if len(lines) != _CHECKPOINT_LINES + 1 or lines[-1]:
        raise LedgerError("a checkpoint has three lines")
    origin, size_text, root_text = lines[:_CHECKPOINT_LINES]
    check_name(origin)
    # isdecimal() alone accepts other scripts' digits; a leading zero would be a second spelling.
    if not (size_text.isascii() and size_text.isdecimal()) or (size_text[0] == "0" and size_text != "0"):
        raise LedgerError("a checkpoint's size is not a decimal number")
    if len(size_text) > len(str(SIZE_MAX)) or int(size_text) > SIZE_MAX:
        raise LedgerError("a checkpoint's size is too large")
    root = decode64(root_text, "a checkpoint's root")
    if len(root) != tree.HASH_BYTES:
        raise LedgerError(f"a checkpoint's root does not have {tree.HASH_BYTES} bytes")
    return Checkpoint(origin, int(size_text), root)


def open_checkpoint(data: bytes, key: VerifierKey, verify: Verify = ed25519.verify) -> Checkpoint:
    """The checkpoint in a note that ``key`` has signed; its origin is the key's name.

    Raises:
        LedgerError: see :func:`open_note` and :func:`parse_checkpoint`; or another log's checkpoint.
    """
    checkpoint = parse_checkpoint(open_note(data, [key], verify).text)
    if checkpoint.origin != key.name:
        raise LedgerError("a checkpoint is of another log")
    return checkpoint
