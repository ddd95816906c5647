"""The Merkle tree of RFC 6962: hashes, roots, proofs and their verification. Standard library only.

A tree is known here by its *perfect* subtrees: the node at ``(level, index)`` covers the ``2**level`` leaves from
``index << level`` on. Proofs are built from a function that looks such nodes up, and checked from hashes alone.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from holdfast.errors import LedgerError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256().digest()  # RFC 6962 2.1: the root of no leaves is the hash of nothing

type Nodes = Callable[[int, int], bytes]


def leaf_hash(entry: bytes) -> bytes:
    """The leaf of an entry."""
    # RFC 6962 2.1: leaves are prefixed 0x00 and nodes 0x01, so that neither can pose as the other.
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node over its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of_peaks(peaks: Sequence[bytes]) -> bytes:
    """The root of the tree whose perfect subtrees, largest first, have these hashes."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


@dataclasses.dataclass(frozen=True, slots=True)
class Frontier:
    """A tree of ``size`` leaves, as the hashes of its perfect subtrees, largest first: enough to append and to root.

    There is one peak for every set bit of ``size``.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise LedgerError(f"a tree of {self.size} leaves does not have {len(self.peaks)} peaks")
        check_hashes(self.peaks)

    def grown(self, leaves: Iterable[bytes]) -> "Frontier":
        """The tree after ``leaves`` (leaf hashes, in order)."""
        size, peaks = self.size, list(self.peaks)
        for leaf in leaves:
            node, rest = leaf, size
            while rest & 1:
                node = node_hash(peaks.pop(), node)
                rest >>= 1
            peaks.append(node)
            size += 1
        return Frontier(size, tuple(peaks))

    def root(self) -> bytes:
        """The root hash, 32 bytes."""
        return root_of_peaks(self.peaks)


def root_of(leaves: Iterable[bytes]) -> bytes:
    """The root over leaf hashes in order."""
    return Frontier().grown(leaves).root()


def nodes_of(leaves: Sequence[bytes]) -> Nodes:
    """The node function of a tree that is in memory."""
    return lambda level, index: root_of(leaves[index << level : (index + 1) << level])


def check_hashes(hashes: Iterable[bytes]) -> None:
    """Refuse what is no list of SHA-256 hashes.

    Raises:
        LedgerError: a hash does not have 32 bytes.
    """
    if any(len(item) != HASH_BYTES for item in hashes):
        raise LedgerError(f"a hash does not have {HASH_BYTES} bytes")


def frontier_at(size: int, nodes: Nodes) -> Frontier:
    """The tree at ``size``, from its nodes. Its peaks are the range proof of the entries from ``size`` on."""
    peaks, start = [], 0
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            peaks.append(nodes(level, start >> level))
            start += 1 << level
    return Frontier(size, tuple(peaks))


def _split(count: int) -> int:
    # RFC 6962 2.1: the largest power of two smaller than count.
    return 1 << ((count - 1).bit_length() - 1)


def _range_hash(start: int, end: int, nodes: Nodes) -> bytes:
    # The subtree over [start, end), where start is a multiple of the subtree's width.
    peaks = []
    while start < end:
        level = (end - start).bit_length() - 1
        peaks.append(nodes(level, start >> level))
        start += 1 << level
    return root_of_peaks(peaks)


def inclusion_proof(index: int, size: int, nodes: Nodes) -> tuple[bytes, ...]:
    """The path of RFC 6962 2.1.1 from leaf ``index`` to the root of the tree of ``size`` leaves.

    Raises:
        LedgerError: the tree has no such leaf.
    """
    if not 0 <= index < size:
        raise LedgerError(f"a tree of {size} leaves has no leaf {index}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, nodes))
            end = middle
        else:
            path.append(_range_hash(start, middle, nodes))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, new: int, nodes: Nodes) -> tuple[bytes, ...]:
    """The proof of RFC 6962 2.1.2 that the tree of ``new`` leaves begins with the tree of ``old`` leaves.

    Raises:
        LedgerError: not ``0 < old <= new``.
    """
    if not 0 < old <= new:
        raise LedgerError(f"there is no consistency proof from size {old} to size {new}")
    path, start, end = [], 0, new
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_hash(middle, end, nodes))
            end = middle
        else:
            path.append(_range_hash(start, middle, nodes))
            start = middle
    if start:
        path.append(_range_hash(start, end, nodes))
    return tuple(reversed(path))


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that ``leaf`` is leaf ``index`` of the tree with this size and root. RFC 9162 2.1.3.2.

    Raises:
        LedgerError: it is not, or the proof is malformed.
    """
    check_hashes([leaf, root, *proof])
    if not 0 <= index < size:
        raise LedgerError(f"a tree of {size} leaves has no leaf {index}")
    node, at, last = leaf, index, size - 1
    for step in proof:
        if last == 0:
            raise LedgerError(f"the inclusion proof of leaf {index} is too long")
        if at & 1 or at == last:
            node = node_hash(step, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, step)
        at, last = at >> 1, last >> 1
    if last != 0 or node != root:
        raise LedgerError(f"the inclusion proof of leaf {index} does not lead to the root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Check that the tree ``(new, new_root)`` begins with the tree ``(old, old_root)``. RFC 9162 2.1.4.2.

    From size 0 every tree follows, so there is nothing to check: that is an error here. Who permits an empty start
    (a witness) says so before asking.

    Raises:
        LedgerError: it does not, or the proof is malformed.
    """
    check_hashes([old_root, new_root, *proof])
    if not 0 < old <= new:
        raise LedgerError(f"consistency from size {old} to size {new} cannot be checked")
    if old == new:
        if proof or old_root != new_root:
            raise LedgerError(f"two trees of size {old} differ")
        return
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    _check_joint_path(path, at, last, (old_root, new_root), f"from size {old} to size {new}")


def _check_joint_path(path: list[bytes], at: int, last: int, roots: tuple[bytes, bytes], span: str) -> None:
    if not path:
        raise LedgerError(f"the consistency proof {span} is empty")
    old_node = new_node = path[0]
    for step in path[1:]:
        if last == 0:
            raise LedgerError(f"the consistency proof {span} is too long")
        if at & 1 or at == last:
            old_node, new_node = node_hash(step, old_node), node_hash(step, new_node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new_node = node_hash(new_node, step)
        at, last = at >> 1, last >> 1
    if last != 0 or (old_node, new_node) != roots:
        raise LedgerError(f"the consistency proof {span} does not lead to both roots")


def verify_range(start: Frontier, leaves: Iterable[bytes], start_root: bytes, end: tuple[int, bytes]) -> None:
    """Check that ``leaves`` are all leaves between two known trees: complete, in order, nothing else.

    Args:
        start: the range proof, at most 20 hashes for a million leaves: the peaks of the tree before the first leaf.
        leaves: leaf hashes of the range.
        start_root: the root at ``start.size``.
        end: size and root of the tree after the last leaf.

    Raises:
        LedgerError: the range is not what the two roots say.
    """
    if start.root() != start_root:
        raise LedgerError(f"the range proof does not lead to the root at size {start.size}")
    grown = start.grown(leaves)
    if grown.size != end[0]:
        raise LedgerError(f"the range ends at size {grown.size}, not at {end[0]}")
    if grown.root() != end[1]:
        raise LedgerError(f"the range from {start.size} does not lead to the root at size {end[0]}")
