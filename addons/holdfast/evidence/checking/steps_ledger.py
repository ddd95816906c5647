"""Steps V1 to V5: files, signatures, the tree. Each returns a sentence or raises."""

import base64
import binascii
import functools
import importlib
from typing import Final

from holdfast import __version__
from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.checking.case import Case, UnmetError
from holdfast.evidence.checking.walk import Walk
from holdfast.evidence.files import layout, manifest, sshsig
from holdfast.evidence.making import sealing
from holdfast.ledger import note, tiling, tlogproof, tree

SIGNATURES_MAX: Final = 1000  # each takes 3 ms without OpenSSL; the tree covers all of them anyway
TILES: Final = "ledger/tiles/"
ENTRIES: Final = "ledger/entries-"


def files(case: Case) -> str:
    """V1: every file is the one that the ledger's key signed for, and has a place in the layout."""
    digests = {name: case.package.member(name).sha256_hex for name in case.package.names() if name != manifest.FILE}
    key = _signer(case)
    manifest.check(case.package.read(manifest.FILE), digests, case.scope, key, case.verify)
    for name in digests:
        if not layout.is_known(name):
            raise EvidenceError(f"{name}: no file of a package")
    count = len(digests) + 1
    signature = digests.pop(manifest.SUMS_SIGNATURE_FILE, None)
    sums = digests.pop(manifest.SUMS_FILE, None)
    if sums is None or case.package.read(manifest.SUMS_FILE) != manifest.sums(digests):
        raise EvidenceError(f"{manifest.SUMS_FILE}: does not list the files of the package")
    if signature is None:
        raise EvidenceError(f"{manifest.SUMS_SIGNATURE_FILE}: missing from the package")
    _check_sums(case, key)
    _check_fixed(case, key)
    return f"{count} files are those that the key {key.key_id.hex()} signed for"


def _signer(case: Case) -> note.VerifierKey:
    # A key that was retired before the range ended has no business signing packages of it.
    known = case.ring.keys
    for key in known[known.index(case.ring.key_at(case.scope.end.size)) :]:
        if key.key_id.hex() == case.scope.key_id:
            return key
    return case.ring.last


def _check_sums(case: Case, key: note.VerifierKey) -> None:
    sums, signature = case.package.read(manifest.SUMS_FILE), case.package.read(manifest.SUMS_SIGNATURE_FILE)
    try:
        sshsig.verify(sums, signature, key.public, check=case.verify)
    except EvidenceError as error:
        raise EvidenceError(f"{manifest.SUMS_SIGNATURE_FILE}: {error}") from None


def _check_fixed(case: Case, key: note.VerifierKey) -> None:
    expected = sealing.fixed(case.scope, key)
    if case.scope.built_with != __version__:
        expected.pop("VERIFY.md")
    elif (verifier := _verifier()) is not None:
        expected["verify.py"] = verifier
    for name, data in expected.items():
        if case.package.read(name) != data:
            raise EvidenceError(f"{name}: not the text that belongs to the trusted key and this version")


@functools.cache
def _verifier() -> bytes | None:
    """`verify.py` as this version makes it; None where this is `verify.py` itself, which cannot make itself again."""
    # By name, so that the file does not hold the module that makes it.
    try:
        source: bytes = importlib.import_module("holdfast.evidence.making.standalone").source()
    except ImportError:
        return None
    return source


def ends(case: Case) -> str:
    """V2: the Checkpoints at both ends are signed, those of AuditInfo.json, and vouched for as the trust file asks."""
    scope = case.scope
    if scope.key_id not in {key.key_id.hex() for key in case.ring.keys}:
        raise EvidenceError(f"AuditInfo.json: names a key that has never signed {case.ring.origin}")
    if case.signed("ledger/checkpoint.end").mark != scope.end:
        raise EvidenceError("ledger/checkpoint.end: not the checkpoint that AuditInfo.json names")
    keys = f"; {len(case.ring.rotations)} rotations lead from key to key" if case.ring.rotations else ""
    if not scope.start.size:
        if scope.start.root != tree.EMPTY_ROOT or "ledger/checkpoint.start" in case.package:
            raise EvidenceError("AuditInfo.json: a range from the beginning starts with the empty tree")
        said = f"the checkpoint of size {scope.end.size} is signed; the range starts with the ledger"
    else:
        if case.signed("ledger/checkpoint.start").mark != scope.start:
            raise EvidenceError("ledger/checkpoint.start: not the checkpoint that AuditInfo.json names")
        said = f"the checkpoints of sizes {scope.start.size} and {scope.end.size} are signed"
    _check_handovers(case)
    return said + keys + _quorum(case)


def _check_handovers(case: Case) -> None:
    """A handover after the range extends its end: else whoever stole the old key could sign another history for it."""
    end = case.scope.end
    for rotation in case.ring.rotations:
        name = f"ledger/rotations/{rotation.index:012}{tlogproof.SUFFIX}"
        handover = note.parse_checkpoint(note.parse_note(tlogproof.parse(case.package.read(name)).checkpoint).text)
        if rotation.index < end.size:
            continue
        proof = f"ledger/consistency/{end.size}-{handover.size}.txt"
        try:
            tree.verify_consistency(end.size, handover.size, end.root, handover.root, hashes_in(case, proof))
        except LedgerError as error:
            raise EvidenceError(f"{proof}: {error}") from None


def _quorum(case: Case) -> str:
    rules = case.trust.policy if case.trust is not None else None
    if rules is None or not rules.witnesses:
        return ""
    try:
        cosigned = rules.cosigners(case.package.read("ledger/checkpoint.end"), case.verify)
    except LedgerError as error:
        raise EvidenceError(f"ledger/checkpoint.end: {error}") from None
    names = ", ".join(one.name for one in cosigned) or "nobody"
    if not rules.is_met(cosigned):
        raise UnmetError(
            f"ledger/checkpoint.end is cosigned by {names}, which is not the quorum `{rules.quorum}` that your trust "
            "file asks for"
        )
    return f"; cosigned by {names}, as your trust file asks"


def range_start(case: Case) -> str:
    """V3: what came before the range is the tree of the first Checkpoint, and the last one extends it."""
    start = frontier(case)
    if start.root() != case.scope.start.root:
        raise EvidenceError("ledger/range-start.txt: does not lead to the root of the first checkpoint")
    if not start.size:
        return "the range starts with the first Record"
    name = f"ledger/consistency/{case.scope.start.size}-{case.scope.end.size}.txt"
    proof = hashes_in(case, name)
    try:
        tree.verify_consistency(start.size, case.scope.end.size, case.scope.start.root, case.scope.end.root, proof)
    except LedgerError as error:
        raise EvidenceError(f"{name}: {error}") from None
    return f"{len(start.peaks)} hashes lead to the root at size {start.size}, and the last checkpoint extends it"


def entries(case: Case, walk: Walk) -> str:
    """V4: every Record is there, or its leaf hash; in order, they lead to the last Checkpoint."""
    first, end = case.scope.start.size, case.scope.end
    if walk.missing is not None:
        raise walk.missing
    for name in case.package.names():
        if name.startswith(ENTRIES) and name not in case.shelf.opened:
            raise EvidenceError(f"{name}: Records that are not of the range, or withheld")
    if (walk.grown.size, walk.grown.root()) != (end.size, end.root):
        good = walk.good_size
        bad = next((size for size in case.marks.sizes() if size > good), end.size)
        raise EvidenceError(
            f"a Record from {good} to {bad - 1} was changed, removed, inserted or moved: "
            f"the Records do not lead to the root at size {bad}"
        )
    withheld = f"; {case.scope.withheld_count} of them withheld, as leaf hashes" if case.scope.withheld_count else ""
    return f"{end.size - first} Records, {first} to {end.size - 1}, lead to the root at size {end.size}{withheld}"


def checkpoints(case: Case, walk: Walk) -> str:
    """V5: every Checkpoint in between is signed and lies on the tree, and the tiles are this tree's."""
    if walk.mark_fault is not None:
        raise walk.mark_fault
    count = len(case.marks) - 1 - bool(case.scope.start.size)
    every = max(1, -(-count // SIGNATURES_MAX))
    for place, data in enumerate(case.inner_notes()):
        if place % every == 0:
            _check_signature(case, data)
    tiles = _check_tiles(case, walk)
    signed = "all signed" if every == 1 else f"one in {every} had its signature checked"
    return f"{count} checkpoints in between lie on the same tree, {signed}; {tiles} tiles are of this tree"


def _check_signature(case: Case, data: bytes) -> None:
    try:
        case.ring.open_checkpoint(data, case.verify)
    except LedgerError as error:
        raise EvidenceError(f"ledger/checkpoints.txt: {error}") from None


def _check_tiles(case: Case, walk: Walk) -> int:
    end = case.scope.end
    # First, because a forged size names more tiles than fit into memory.
    if len(walk.leaves) != end.size - case.scope.start.size:
        raise EvidenceError(f"{TILES}: cannot be compared with Records that are missing")
    known = {TILES + name for name in tiling.paths_of(end.size, case.scope.start.size)}
    for name in case.package.names():
        if name.startswith(TILES) and name not in known:
            raise EvidenceError(f"{name}: no tile of a tree of {end.size} Records")
    try:
        return tiling.check_tiles(lambda name: case.package.read(TILES + name), end.size, walk.leaves, end.root)
    except LedgerError as error:
        raise EvidenceError(f"{TILES}{error}") from None


def hashes_in(case: Case, name: str) -> list[bytes]:
    """The hashes in a file with one on each line, in base64.

    Raises:
        EvidenceError: a line is none.
    """
    case.proofs_read.add(name)
    hashes: list[bytes] = []
    for line in case.package.read(name).decode("ascii", "replace").splitlines():
        try:
            hashes.append(base64.b64decode(line, validate=True))
        except (binascii.Error, ValueError):
            raise EvidenceError(f"{name}: a line is no hash") from None
    return hashes


def frontier(case: Case) -> tree.Frontier:
    """The tree before the range, as `ledger/range-start.txt` gives it.

    Raises:
        EvidenceError: it gives none.
    """
    name = "ledger/range-start.txt"
    try:
        return tree.Frontier(case.scope.start.size, tuple(hashes_in(case, name)))
    except LedgerError as error:
        raise EvidenceError(f"{name}: {error}") from None
