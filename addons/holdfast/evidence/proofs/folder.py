"""Two checkpoints of one ledger, compared with the folder that holds it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.files import enrolment
from holdfast.evidence.files.enrolment import Enrolment
from holdfast.evidence.proofs.differing import STATE_TYPS, Difference, State, changes, state_of, typs_of
from holdfast.jsontext import JsonObject, parse
from holdfast.ledger import note
from holdfast.ledger.keyring import KeyRing, Rotation, rotation_of
from holdfast.ledger.reader import Reader, open_reader

_ROTATED = b'"typ":"ledger.rotated"'


def diff_checkpoints(data: Path, files: tuple[Path, Path], trusted: Sequence[note.VerifierKey] | None) -> Difference:
    """Whether the second checkpoint continues the first, in the ledger in ``data``, and what came in between.

    Args:
        data: the ledger's folder.
        files: the two signed checkpoints.
        trusted: the ledger's keys; None takes the folder's own.

    Raises:
        EvidenceError: a file is no checkpoint that a key of the ledger signed, or the folder lacks its Records.
        LedgerError: the ledger cannot be read.
        OSError: a file cannot be read.
    """
    with open_reader(data) as reader:
        ring = _ring(reader, data, trusted)
        a, b = (_open(path, ring) for path in files)
        size = reader.size()
        if max(a.size, b.size) > size:
            raise EvidenceError(f"the folder holds {size} Records, fewer than the checkpoint of {max(a.size, b.size)}")
        sentence = _fork(reader, a, b)
        if sentence is not None:
            return Difference(False, sentence, a.size, 0, {}, ())
        if b.size < a.size:
            words = f"the second is older: the first continues it ({b.size} Records before, {a.size} Records)"
            return Difference(None, words, b.size, 0, {}, ())
        typs = typs_of(entry for _, entry in reader.records(a.size, b.size))
        differing = changes(_state(reader, a.size), _state(reader, b.size))
        words = f"the second continues the first, from size {a.size} to size {b.size}"
        return Difference(True, words, a.size, b.size - a.size, typs, differing)


def _fork(reader: Reader, a: note.Checkpoint, b: note.Checkpoint) -> str | None:
    for name, checkpoint in (("first", a), ("second", b)):
        if reader.frontier(checkpoint.size).root() != checkpoint.root:
            return f"the {name} is of another history: at size {checkpoint.size} the ledger here has another root"
    return None


def _ring(reader: Reader, data: Path, trusted: Sequence[note.VerifierKey] | None) -> KeyRing:
    rotations: list[Rotation] = []
    for _, entry in reader.records():
        if _ROTATED in entry and (rotation := rotation_of(_object(entry))) is not None:
            rotations.append(rotation)
    own = note.parse_vkey((data / "keys" / "ledger.vkey").read_text("utf-8").removesuffix("\n"))
    named = [key for key in trusted or [own] if key.name == own.name]
    if not named:
        raise EvidenceError(f"the folder holds the ledger {own.name}, of which no key is trusted")
    try:
        return KeyRing.of(rotations, named[0])
    except LedgerError as error:
        raise EvidenceError(str(error)) from None


def _object(entry: bytes) -> JsonObject:
    value = parse(entry)
    return value if isinstance(value, dict) else {}


def _open(path: Path, ring: KeyRing) -> note.Checkpoint:
    with path.open("rb") as file:
        data = file.read(note.NOTE_BYTES_MAX + 1)
    try:
        return ring.open_checkpoint(data)
    except LedgerError as error:
        raise EvidenceError(f"{path}: {error}") from None


def _state(reader: Reader, size: int) -> State:
    lines = [entry for _, entry in reader.records(0, size) if any(typ in entry for typ in STATE_TYPS)]
    return state_of(lines, dict(_enrolments(reader, lines)))


def _enrolments(reader: Reader, lines: Sequence[bytes]) -> Iterator[tuple[str, Enrolment]]:
    loaded: JsonObject = {}
    for line in lines:
        value = parse(line)
        if isinstance(value, dict) and value.get("typ") == "rules.loaded":
            loaded = value
    files = loaded.get("files")
    digest = files.get(enrolment.RULES_FILE) if isinstance(files, dict) else None
    kept = reader.object(str(digest)) if digest else None
    if kept is not None:
        yield str(loaded.get("rules")), enrolment.read_rules(kept[1])
