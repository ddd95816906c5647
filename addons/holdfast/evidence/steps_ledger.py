"""Steps V1 to V7: files, signatures, the tree, and the form of Records. Each returns a sentence or raises."""

import base64
import binascii
import itertools
from collections.abc import Iterator
from typing import Final

from holdfast import __version__
from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence import fingerprints, manifest
from holdfast.evidence.case import Case, NotCheckedError
from holdfast.evidence.gaps import HEARTBEAT_S, duration_text
from holdfast.evidence.guide import GUIDE
from holdfast.evidence.signed import open_signed
from holdfast.ledger import tree

CHUNK_COUNT: Final = 1024
SIGNATURES_MAX: Final = 1000  # each takes 3 ms without OpenSSL; the tree covers all of them anyway


def files(case: Case) -> str:
    """V1: every file is the one that the ledger's key signed for."""
    digests = {name: case.package.member(name).sha256_hex for name in case.package.names() if name != manifest.FILE}
    manifest.check(case.package.read(manifest.FILE), digests, case.scope, case.key, case.verify)
    sums = digests.pop(manifest.SUMS_FILE, None)
    if sums is None or case.package.read(manifest.SUMS_FILE) != manifest.sums(digests):
        raise EvidenceError(f"{manifest.SUMS_FILE}: does not list the files of the package")
    expected = {
        "trust/log.vkey": case.key.to_text().encode() + b"\n",
        "trust/log.pub.pem": fingerprints.public_pem(case.key.public),
        "trust/fingerprints.txt": fingerprints.text(case.key),
    }
    if case.scope.built_with == __version__:
        expected["VERIFY.md"] = GUIDE
    for name, data in expected.items():
        if case.package.read(name) != data:
            raise EvidenceError(f"{name}: not the text that belongs to the trusted key and this version")
    return f"{len(digests) + 2} files are those that the key {case.key.key_id.hex()} signed for"


def ends(case: Case) -> str:
    """V2: the Checkpoints at both ends are signed, and are those of AuditInfo.json."""
    scope = case.scope
    if scope.origin != case.key.name or scope.key_id != case.key.key_id.hex():
        raise EvidenceError(f"AuditInfo.json: speaks of another ledger than the trusted {case.key.name}")
    if case.signed("ledger/checkpoint.end").mark != scope.end:
        raise EvidenceError("ledger/checkpoint.end: not the checkpoint that AuditInfo.json names")
    if not scope.start.size:
        if scope.start.root != tree.EMPTY_ROOT or "ledger/checkpoint.start" in case.package:
            raise EvidenceError("AuditInfo.json: a range from the beginning starts with the empty tree")
        return f"the checkpoint of size {scope.end.size} is signed; the range starts with the ledger"
    if case.signed("ledger/checkpoint.start").mark != scope.start:
        raise EvidenceError("ledger/checkpoint.start: not the checkpoint that AuditInfo.json names")
    return f"the checkpoints of sizes {scope.start.size} and {scope.end.size} are signed"


def range_start(case: Case) -> str:
    """V3: what came before the range is the tree of the first Checkpoint, and the last one extends it."""
    start = _frontier(case)
    if start.root() != case.scope.start.root:
        raise EvidenceError("ledger/range-start.txt: does not lead to the root of the first checkpoint")
    if not start.size:
        return "the range starts with the first Record"
    name = f"ledger/consistency/{case.scope.start.size}-{case.scope.end.size}.txt"
    proof = _hashes(case, name)
    try:
        tree.verify_consistency(start.size, case.scope.end.size, case.scope.start.root, case.scope.end.root, proof)
    except LedgerError as error:
        raise EvidenceError(f"{name}: {error}") from None
    return f"{len(start.peaks)} hashes lead to the root at size {start.size}, and the last checkpoint extends it"


def entries(case: Case) -> str:
    """V4: every Record is there, in order, and leads to the last Checkpoint."""
    grown = _grow(case, [])
    if grown.root() != case.scope.end.root:
        raise EvidenceError(_first_wrong(case))
    first, last = case.scope.start.size, case.scope.end.size - 1
    return f"{grown.size - first} Records, {first} to {last}, lead to the root at size {grown.size}"


def checkpoints(case: Case) -> str:
    """V5: every Checkpoint in between is signed and lies on the tree."""
    sizes = [mark.size for mark in case.marks]
    if any(low >= high for low, high in itertools.pairwise(sizes)):
        raise EvidenceError("ledger/checkpoints.txt: sizes do not grow")
    _grow(case, sizes)
    notes = case.inner_notes
    every = max(1, -(-len(notes) // SIGNATURES_MAX))
    for data in notes[::every]:
        _check_signature(case, data)
    signed = "all signed" if every == 1 else f"one in {every} had its signature checked"
    return f"{len(notes)} checkpoints in between lie on the same tree, {signed}"


def time(case: Case) -> str:
    """V6: time and witnesses from outside."""
    story = case.story
    raise NotCheckedError(
        "no witness and no time stamp is in the package: nobody outside vouches for its times. Tamper window, in which "
        f"the holder of the ledger's key could have rewritten it: all of it, {duration_text(story.seconds)} "
        "(unless you hold an earlier checkpoint yourself)"
    )


def records(case: Case) -> str:
    """V7: every Record has the form of its schema, says its own index and ledger, and fits the one before."""
    monos: dict[str, int] = {}
    for entry in case.entries():
        if entry.text("log") != case.scope.origin:
            raise EvidenceError(f"record {entry.index}: it is of another ledger")
        if (entry.typ == "ledger.genesis") != (entry.index == 0):
            raise EvidenceError(f"record {entry.index}: a ledger begins once, with record 0")
        boot, mono = entry.text("boot"), entry.number("mono") or 0
        if mono < monos.get(boot, 0):
            raise EvidenceError(f"record {entry.index}: the monotonic clock of its process went back")
        monos[boot] = mono
    gaps = [gap.kind for gap in case.story.gaps]
    found = ", ".join(f"{gaps.count(kind)} {kind}" for kind in sorted(set(gaps)))
    return f"every Record has its form; gaps (heartbeat every {HEARTBEAT_S} s): {found or 'none'}"


def _hashes(case: Case, name: str) -> list[bytes]:
    hashes: list[bytes] = []
    for line in case.package.read(name).decode("ascii", "replace").splitlines():
        try:
            hashes.append(base64.b64decode(line, validate=True))
        except (binascii.Error, ValueError):
            raise EvidenceError(f"{name}: a line is no hash") from None
    return hashes


def _frontier(case: Case) -> tree.Frontier:
    name = "ledger/range-start.txt"
    try:
        return tree.Frontier(case.scope.start.size, tuple(_hashes(case, name)))
    except LedgerError as error:
        raise EvidenceError(f"{name}: {error}") from None


def _leaves(case: Case) -> Iterator[bytes]:
    return (tree.leaf_hash(data) for _, data in case.shelf.lines())


def _grow(case: Case, stops: list[int]) -> tree.Frontier:
    """The tree over all Records; at every size in ``stops`` its root is compared with the Checkpoint's."""
    roots = {mark.size: mark.root for mark in case.marks}
    grown, leaves, end = _frontier(case), _leaves(case), case.scope.end.size
    for stop in [size for size in stops if grown.size < size < end] + [end]:
        while grown.size < stop:
            chunk = list(itertools.islice(leaves, min(CHUNK_COUNT, stop - grown.size)))
            if not chunk:
                raise EvidenceError(f"record {grown.size}: missing")
            grown = grown.grown(chunk)
        if stop < end and grown.root() != roots[stop]:
            raise EvidenceError(f"ledger/checkpoints.txt: the checkpoint of size {stop} is not on the tree of Records")
    return grown


def _first_wrong(case: Case) -> str:
    """Which Record breaks the tree, as narrowly as the Checkpoints can tell."""
    good = case.scope.start.size
    try:
        for mark in case.marks[:-1]:
            _grow(case, [mark.size])
            good = max(good, mark.size)
        wrong_before = case.scope.end.size
    except EvidenceError:
        wrong_before = next((mark.size for mark in case.marks if mark.size > good), case.scope.end.size)
    return (
        f"a Record from {good} to {wrong_before - 1} was changed, removed, inserted or moved: "
        f"the Records do not lead to the root at size {wrong_before}"
    )


def _check_signature(case: Case, data: bytes) -> None:
    try:
        open_signed(data, case.key, case.verify)
    except EvidenceError as error:
        raise EvidenceError(f"ledger/checkpoints.txt: {error}") from None
