"""What a package needs besides its Records: checkpoints, proofs, keys, rules, what outsiders said, samples."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.files import enrolment
from holdfast.evidence.files.entry import parse_entry
from holdfast.evidence.files.marks import Marks
from holdfast.evidence.files.scope import Mark
from holdfast.evidence.files.spool import Spool
from holdfast.evidence.making import outsiders
from holdfast.evidence.making.period import Survey, hashes_text
from holdfast.evidence.making.vouching import Vouching
from holdfast.evidence.proofs import samples
from holdfast.evidence.story.teller import Teller
from holdfast.evidence.tables.material import Stamped
from holdfast.ledger import handover, note, tiling, tlogproof
from holdfast.ledger.keys import Keys
from holdfast.ledger.nodes import StoredNodes
from holdfast.ledger.reader import Reader
from holdfast.ledger.tiles import TileTree

LATER: Final = "ledger/later"
ROTATIONS: Final = "ledger/rotations"
TILES: Final = "ledger/tiles"
SAMPLED: Final = "every Record of the range that is not withheld"
_LEAVES_COUNT: Final = 64 * 1024  # read at once


class Belongings:
    """Puts them into the spool; afterwards ``marks``, ``notes`` and ``stamps`` say what was put in."""

    def __init__(self, reader: Reader, keys: Keys, spool: Spool, surveyed: Survey, vouching: Vouching) -> None:
        self.marks: Final = Marks()
        self.stamps: tuple[Stamped, ...] = ()
        self._reader: Final = reader
        self._keys: Final = keys
        self._spool: Final = spool
        self._surveyed: Final = surveyed
        self._vouching: Final = vouching
        self._low, self._high = surveyed.low, surveyed.high
        end = surveyed.end.data if surveyed.end is not None else self._sign(surveyed.end_mark)
        self._end: Final = vouching.cosigned(self._high, end)
        self._start: Final = vouching.cosigned(self._low, surveyed.start.data) if surveyed.start is not None else None

    def notes(self) -> Iterator[bytes]:
        """Every checkpoint of the package, cosigned, in order."""
        if self._start is not None:
            yield self._start
        for _, data in self._vouching.inner(self._reader, self._low, self._high):
            yield data
        yield self._end

    def add_ledger(self, later: Sequence[int], teller: Teller) -> None:
        """Checkpoints, proofs, rotations, tiles, time stamps; and the erasing Records ``later`` than the range."""
        spool, low, high = self._spool, self._low, self._high
        spool.add("ledger/checkpoint.end", self._end)
        spool.add("ledger/range-start.txt", hashes_text(self._surveyed.frontier.peaks))
        if self._start is not None:
            self.marks.append(Mark(low, self._surveyed.frontier.root()))
            spool.add("ledger/checkpoint.start", self._start)
            self._add_consistency(low, high)
        spool.add("ledger/checkpoints.txt", self._inner())
        self.marks.append(self._surveyed.end_mark)
        for proof in handover.proofs(self._reader, self._surveyed.ring):
            for name, data in proof.files().items():
                spool.add(f"{ROTATIONS}/{name}", data)
            if proof.index >= high:
                self._add_consistency(high, _size(proof.proof.checkpoint))
        self._add_tiles()
        self.stamps = self._vouching.add_stamps(spool, low, high)
        self._add_later(later, teller)
        self._add_trust()

    def add_objects(self, digests: Iterable[str]) -> tuple[str, ...]:
        """Put in what Records name by digest; returns what the ledger does not keep."""
        missing = set()
        for digest_hex in digests:
            if f"objects/{digest_hex}" in self._spool:
                continue
            kept = self._reader.object(digest_hex)
            if kept is None:
                missing.add(digest_hex)
            else:
                self._spool.add(f"objects/{digest_hex}", kept[1])
        return tuple(sorted(missing))

    def add_samples(self, count: int, nonce: str, population: Sequence[int]) -> None:
        """Draw samples and put them in, each with its proof."""
        chosen = samples.draw(self._surveyed.end_mark.root, nonce, population, SAMPLED, count)
        files = samples.files(
            chosen, self._reader.record, lambda index: self._reader.inclusion(index, self._high), self._end
        )
        for name, data in files:
            self._spool.add(name, data)

    def _inner(self) -> Iterator[bytes]:
        for _, data in self._vouching.inner(self._reader, self._low, self._high):
            checkpoint = note.parse_checkpoint(note.parse_note(data).text)
            self.marks.append(Mark(checkpoint.size, checkpoint.root))
            yield data + b"\n"

    def _add_consistency(self, old: int, new: int) -> None:
        name = f"ledger/consistency/{old}-{new}.txt"
        if name not in self._spool:
            self._spool.add(name, hashes_text(self._reader.consistency(old, new)))

    def _add_tiles(self) -> None:
        first = tiling.aligned(self._low)
        before = TileTree.restore(first, StoredNodes(self._reader.ledger))
        for name, data in tiling.tile_files(self._leaves(first), before):
            self._spool.add(f"{TILES}/{name}", data)

    def _leaves(self, first: int) -> Iterator[bytes]:
        for start in range(first, self._high, _LEAVES_COUNT):
            yield from self._reader.leaves(start, min(self._high, start + _LEAVES_COUNT))

    def _add_later(self, later: Sequence[int], teller: Teller) -> None:
        if not later:
            return
        size, checkpoint = self._covering(later[-1])
        self._add_consistency(self._high, size)
        for index in later:
            data = self._reader.record(index)
            proof = tlogproof.Proof(index, self._reader.inclusion(index, size), checkpoint)
            self._spool.add(f"{LATER}/{index:012}.json", data)
            self._spool.add(f"{LATER}/{index:012}{tlogproof.SUFFIX}", tlogproof.format(proof))
            teller.add_later(parse_entry(index, data))

    def _covering(self, index: int) -> tuple[int, bytes]:
        for data in self._reader.checkpoints():
            size = note.parse_checkpoint(note.parse_note(data).text).size
            if size > index:
                return size, data
        size = self._reader.size()
        return size, self._sign(Mark(size, self._reader.frontier(size).root()))

    def _sign(self, mark: Mark) -> bytes:
        # Signing is safe: committed Records are never undone, and the walk before has checked that this tree extends
        # every Checkpoint signed so far.
        key = self._keys.verifier
        if self._surveyed.ring.key_at(mark.size) != key:
            raise EvidenceError(f"no checkpoint of size {mark.size} is signed, and the key that signs there is retired")
        handed_over = [item for item in self._surveyed.ring.rotations if item.new == key]
        if handed_over and not any(_size(data) > handed_over[-1].index for data in self._reader.checkpoints()):
            raise EvidenceError("the key was rotated and no checkpoint follows yet: start the gateway, then build")
        text = note.Checkpoint(self._keys.origin, mark.size, mark.root).to_text()
        return note.sign_note(text, key, self._keys.ledger.sign).to_text().encode()

    def _add_trust(self) -> None:
        enrolments = {}
        for digest_hex, files in self._surveyed.rules.items():
            kept = self._reader.object(files.get(enrolment.RULES_FILE, ""))
            if kept is not None:
                enrolments[digest_hex] = enrolment.read_rules(kept[1])
        self._spool.add(enrolment.FILE, enrolment.as_json(enrolments))
        policy, roots = outsiders.trust_of(self._surveyed, self._reader.object)
        self._spool.add(outsiders.POLICY_FILE, policy)
        self._spool.add(outsiders.ROOTS_FILE, roots)


def _size(data: bytes) -> int:
    try:
        return note.parse_checkpoint(note.parse_note(data).text).size
    except LedgerError as error:
        raise EvidenceError(f"checkpoints.log: {error}") from None
