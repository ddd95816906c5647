"""The proof of one Record, from a package or from a ledger's folder; and a package's tree. Standard library only."""

import base64
import binascii
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.files.container import Package
from holdfast.evidence.files.scope import Scope, parse_scope
from holdfast.evidence.files.shelf import Shelf
from holdfast.ledger import note, tlogproof, tree

if TYPE_CHECKING:  # a verifier has no ledger to read, nor what reading one takes
    from holdfast.ledger.reader import Reader

_PEAKS_FILE: Final = "ledger/range-start.txt"
_END_FILE: Final = "ledger/checkpoint.end"


class PackageTree:
    """What a package knows of the ledger's tree: the leaves of its range, and the peaks of what came before.

    Making one checks that these lead to the checkpoint at the end. Its signature is for ``verify`` to check.

    Raises:
        EvidenceError: they do not, or the package is not one.
    """

    def __init__(self, package: Package) -> None:
        self.package: Final = package
        self.scope: Final[Scope] = parse_scope(package.read("AuditInfo.json"))
        self.checkpoint: Final = package.read(_END_FILE)
        self.start: Final = tree.Frontier(self.scope.start.size, tuple(_hashes(package, _PEAKS_FILE)))
        self._shelf: Final = Shelf(package, self.scope.start.size, self.scope.end.size)
        self.leaves: Final = [leaf for _, _, leaf in self._shelf.leaves()]
        end = self.scope.end
        try:
            signed = note.parse_checkpoint(note.parse_note(self.checkpoint).text)
        except LedgerError as error:
            raise EvidenceError(f"{_END_FILE}: {error}") from None
        if (signed.size, signed.root) != (end.size, end.root) or self.root_at(end.size) != end.root:
            raise EvidenceError(f"the Records do not lead to the root at size {end.size}: run verify")

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Index and bytes of every Record that is not withheld."""
        for index, line, _ in self._shelf.leaves():
            if line is not None:
                yield index, line

    def root_at(self, size: int) -> bytes:
        """The root of the tree at ``size``, from the start of the range on."""
        return self.start.grown(self.leaves[: size - self.start.size]).root()

    def node(self, level: int, index: int) -> bytes:
        """A :data:`holdfast.ledger.tree.Nodes` as far as the package knows the tree."""
        low, high = index << level, (index + 1) << level
        if low >= self.start.size:
            return tree.root_of(self.leaves[low - self.start.size : high - self.start.size])
        if high <= self.start.size:
            return self._peaks[level, index]
        return tree.node_hash(self.node(level - 1, 2 * index), self.node(level - 1, 2 * index + 1))

    @functools.cached_property
    def _peaks(self) -> dict[tuple[int, int], bytes]:
        # A path from a leaf of the range meets what came before it in whole peaks only: the parent of any smaller node
        # there would lie wholly before the range too.
        found: dict[tuple[int, int], bytes] = {}
        remembered = iter(self.start.peaks)

        def remember(level: int, index: int) -> bytes:
            found[level, index] = next(remembered)
            return found[level, index]

        tree.frontier_at(self.start.size, remember)
        return found


def _hashes(package: Package, name: str) -> list[bytes]:
    try:
        return [base64.b64decode(line, validate=True) for line in package.read(name).split()]
    except binascii.Error:
        raise EvidenceError(f"{name}: not a list of hashes") from None


def prove_from_package(path: Path, index: int) -> tlogproof.Proof:
    """The proof of Record ``index`` to the checkpoint at the end of the package, which need not hold its content.

    Raises:
        EvidenceError: no such Record in the package, or its Records do not lead to its checkpoint.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        packed = PackageTree(Package(file))
        low, high = packed.scope.start.size, packed.scope.end.size
        if not low <= index < high:
            raise EvidenceError(f"the package holds the Records {low} to {high - 1}, not Record {index}")
        leaf = packed.leaves[index - low]
        return _proof(index, leaf, packed.checkpoint, lambda size: tree.inclusion_proof(index, size, packed.node))


def prove_from_ledger(
    reader: "Reader", index: int, cosigned: Callable[[int, bytes], bytes] = lambda _, head: head
) -> tlogproof.Proof:
    """The proof of Record ``index`` to the ledger's last signed checkpoint.

    Args:
        reader: the ledger.
        index: of the Record.
        cosigned: gives size and note of a checkpoint the lines of those who cosigned it.

    Raises:
        EvidenceError: no such Record, or none that a checkpoint covers yet.
        LedgerError: the ledger cannot be read.
    """
    head = reader.last_checkpoint()
    if head is None:
        raise EvidenceError("the ledger has no checkpoint yet")
    signed = note.parse_checkpoint(note.parse_note(head).text)
    if index >= signed.size:
        state = "is newer than the last checkpoint" if index < reader.size() else "does not exist"
        raise EvidenceError(f"Record {index} {state}; the last checkpoint covers the Records before {signed.size}")
    leaf = tree.leaf_hash(reader.record(index))
    return _proof(index, leaf, cosigned(signed.size, head), lambda size: reader.inclusion(index, size))


def _proof(index: int, leaf: bytes, checkpoint: bytes, path: Callable[[int], tuple[bytes, ...]]) -> tlogproof.Proof:
    signed = note.parse_checkpoint(note.parse_note(checkpoint).text)
    proof = tlogproof.Proof(index, path(signed.size), checkpoint)
    try:
        # Nobody is handed a proof that does not hold.
        tree.verify_inclusion(leaf, index, signed.size, proof.path, signed.root)
    except LedgerError as error:
        raise EvidenceError(f"record {index}: {error}; run verify") from None
    return proof
