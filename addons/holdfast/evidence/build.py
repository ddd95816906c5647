"""Build a package: from a ledger folder to one file that a stranger verifies.

1. The ledger's own Checkpoints are read and their signatures checked.
2. The period that was asked for is widened to whole Checkpoints; a fresh one is signed for its end where needed.
3. The whole ledger up to there is walked, and every Checkpoint checked on the way: a ledger that does not verify gives
   no package.
4. Records, payloads, rules, approvals and keys are put in; reports are made from exactly these.
5. All of it is signed.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from holdfast.errors import EvidenceError
from holdfast.evidence import enrolment, fingerprints, manifest, payloads, shelf
from holdfast.evidence.container import Spool
from holdfast.evidence.derived import Material, derive
from holdfast.evidence.entry import Entry, parse_entry, payload_refs
from holdfast.evidence.guide import GUIDE
from holdfast.evidence.payloads import Opened
from holdfast.evidence.period import (
    Period,
    Survey,
    bounds,
    hashes_text,
    signed_checkpoints,
    survey,
)
from holdfast.evidence.scope import Mark, Scope
from holdfast.evidence.signed import Signed, open_signed
from holdfast.ledger import note
from holdfast.ledger.keys import KEYS_DIR, Keys, open_keys, verify_signature
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.tree import Frontier

type Progress = Callable[[str], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Built:
    """A package that was written. ``missing_objects`` are digests that Records name and the ledger does not keep."""

    path: Path
    origin: str
    first_index: int
    records_count: int
    erased_count: int
    missing_objects: tuple[str, ...]


def build(
    data: Path,
    out: Path,
    *,
    period: Period | None = None,
    asked: tuple[str, str] = ("", ""),
    progress: Progress = lambda _: None,
) -> Built:
    """Write the package of ``period`` to ``out``. The gateway may go on meanwhile.

    Args:
        data: the ledger's folder, with its keys.
        out: the file to write.
        period: what was asked for; everything where it is None.
        asked: the two times in the words of the asker, for the report.
        progress: told what goes on, in a few words.

    Raises:
        EvidenceError: the ledger does not verify, nothing lies in the period, or the file cannot be written.
        LedgerError: the ledger cannot be read.
        SettingsError: the keys cannot be read.
    """
    if not (data / KEYS_DIR).is_dir():
        raise EvidenceError(f"{data} holds no ledger: there is no folder {KEYS_DIR} in it")
    keys = open_keys(data, origin=None)
    with open_reader(data) as reader, Spool(_folder(out)) as spool:
        return _Builder(reader, keys, spool, progress).build(out, period or Period(), asked)


def _folder(out: Path) -> Path:
    folder = out.absolute().parent
    if not folder.is_dir():
        raise EvidenceError(f"{folder} is no folder: make it, or give another --out")
    return folder


class _Builder:
    def __init__(self, reader: Reader, keys: Keys, spool: Spool, progress: Progress) -> None:
        self._reader = reader
        self._keys = keys
        self._spool = spool
        self._progress = progress
        self._erased = 0
        self._missing: set[str] = set()

    def build(self, out: Path, period: Period, asked: tuple[str, str]) -> Built:
        """All the steps of the module's docstring."""
        size = self._reader.size()
        if not size:
            raise EvidenceError("the ledger holds no Record yet")
        self._progress(f"checking {size} Records")
        signed = signed_checkpoints(self._reader, self._keys.verifier, verify_signature)
        low, high = bounds(self._entries(0, size), signed, period, size)
        surveyed = survey(self._reader, signed, low, high, self._fresh(high))
        scope = Scope(
            origin=self._keys.origin,
            key_id=self._keys.verifier.key_id.hex(),
            start=surveyed.start.mark if surveyed.start else Mark(0, Frontier().root()),
            end=surveyed.end.mark,
            asked_from=asked[0],
            asked_to=asked[1],
            rules=surveyed.rules,
        )
        self._progress(f"packing Records {low} to {high - 1}")
        self._add_ledger(surveyed, scope)
        self._add_contents(scope)
        self._add_trust()
        self._add_derived(surveyed, scope)
        self._sign(scope)
        self._progress(f"writing {out}")
        self._spool.write(out)
        return Built(out, scope.origin, low, high - low, self._erased, tuple(sorted(self._missing)))

    def _entries(self, low: int, high: int) -> Iterator[Entry]:
        return (parse_entry(index, data) for index, data in self._reader.records(low, high))

    def _fresh(self, size: int) -> Signed:
        # Signing is safe: committed Records are never undone, and the walk that follows checks that this tree extends
        # every Checkpoint signed so far.
        root = self._reader.frontier(size).root()
        checkpoint = note.Checkpoint(self._keys.origin, size, root)
        signed = note.sign_note(checkpoint.to_text(), self._keys.verifier, self._keys.ledger.sign)
        return open_signed(signed.to_text().encode(), self._keys.verifier, verify_signature)

    def _add_ledger(self, surveyed: Survey, scope: Scope) -> None:
        low, high = scope.start.size, scope.end.size
        for name, data in shelf.pack(self._reader.records(low, high)):
            self._spool.add(name, data)
        self._spool.add("ledger/checkpoint.end", surveyed.end.data)
        self._spool.add("ledger/range-start.txt", hashes_text(surveyed.frontier.peaks))
        self._spool.add("ledger/checkpoints.txt", b"".join(item.data + b"\n" for item in surveyed.inner))
        if surveyed.start is not None:
            self._spool.add("ledger/checkpoint.start", surveyed.start.data)
            proof = self._reader.consistency(low, high)
            self._spool.add(f"ledger/consistency/{low}-{high}.txt", hashes_text(proof))

    def _add_contents(self, scope: Scope) -> None:
        for files in scope.rules.values():
            self._add_objects(files.values())
        for entry in self._entries(scope.start.size, scope.end.size):
            for commitment, _, _ in payload_refs(entry).values():
                self._add_payload(commitment)
            self._add_objects(filter(None, [entry.text("gw", "config")]))

    def _add_payload(self, commitment: str) -> None:
        name = payloads.file_name(commitment)
        if name in self._spool:
            return
        opened = self._payload(commitment)
        self._erased += opened is None
        self._spool.add(name, payloads.as_json(commitment, opened))

    def _payload(self, commitment: str) -> Opened | None:
        row = self._reader.payload(commitment)
        return None if row is None else Opened(*row)

    def _add_objects(self, digests: Iterable[str]) -> None:
        for digest_hex in digests:
            if f"objects/{digest_hex}" in self._spool:
                continue
            kept = self._reader.object(digest_hex)
            if kept is None:
                self._missing.add(digest_hex)
            else:
                self._spool.add(f"objects/{digest_hex}", kept[1])

    def _add_trust(self) -> None:
        key = self._keys.verifier
        self._spool.add("trust/log.vkey", key.to_text().encode() + b"\n")
        self._spool.add("trust/log.pub.pem", fingerprints.public_pem(key.public))
        self._spool.add("trust/fingerprints.txt", fingerprints.text(key))

    def _add_derived(self, surveyed: Survey, scope: Scope) -> None:
        enrolments = self._enrolments(scope)
        self._spool.add(enrolment.FILE, enrolment.as_json(enrolments))
        self._spool.add("AuditInfo.json", scope.as_json())
        self._spool.add("VERIFY.md", GUIDE)
        marks = tuple(item.mark for item in (surveyed.start, *surveyed.inner, surveyed.end) if item is not None)
        material = Material(
            scope=scope,
            entries=lambda: self._entries(scope.start.size, scope.end.size),
            payload=self._payload,
            marks=marks,
        )
        self._progress("writing the report")
        for name, data in derive(material):
            self._spool.add(name, data)

    def _enrolments(self, scope: Scope) -> dict[str, enrolment.Enrolment]:
        found: dict[str, enrolment.Enrolment] = {}
        for digest_hex, files in scope.rules.items():
            kept = self._reader.object(files.get(enrolment.RULES_FILE, ""))
            if kept is not None:
                found[digest_hex] = enrolment.read_rules(kept[1])
        return found

    def _sign(self, scope: Scope) -> None:
        self._spool.add(manifest.SUMS_FILE, manifest.sums(self._spool.digests()))
        statement = manifest.statement(self._spool.digests(), scope)
        self._spool.add(manifest.FILE, manifest.sign(statement, self._keys.verifier, self._keys.ledger.sign))
