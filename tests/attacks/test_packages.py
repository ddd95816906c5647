"""What a package of a rewritten ledger gives away, and to whom: every attack, with and without the ledger's key.

The table of `test_table.py` once more, for those who have packages and no ledger. The columns are what a verifier
holds: the public key, a package received earlier, a witness that has seen the ledger. The rows that say ``False`` are
the reason why there are witnesses, and why an auditor keeps what was received.
"""

import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.attacks import forger
from tests.attacks.forger import SIZE, Records, records_of, rewrite
from tests.ledger import ledgers

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.build import build
from holdfast.evidence.checking.trusting import Trust
from holdfast.evidence.files.container import Package
from holdfast.evidence.proofs.differing import diff_packages
from holdfast.evidence.proofs.proving import PackageTree
from holdfast.evidence.verify import Exit, verify
from holdfast.ledger import note, tree
from holdfast.ledger.keys import Keys
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.schema import KEYS_DIR
from holdfast.witness import cosignature, policy, store

HELD = 40  # the older of the two states that somebody outside knows
BEFORE, AFTER = 21, 51
SEEN_AT = dt.datetime(2026, 1, 1, 0, 0, 30, tzinfo=dt.UTC)
_WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
WITNESS = cosignature.CosignerKey("witness.example", _WITNESS.public_key().public_bytes_raw())

type Attack = Callable[[Records, int], Records]

EDITS: list[tuple[str, Attack]] = [
    ("modify", forger.modified),
    ("delete", forger.deleted),
    ("insert", forger.inserted),
    ("reorder", forger.reordered),
    ("truncate", forger.truncated),
]
each_edit = pytest.mark.parametrize(("name", "attack"), EDITS, ids=[name for name, _ in EDITS])


class Outside(NamedTuple):
    """What the forger cannot reach: the true ledger, and packages of it at two sizes."""

    whole: Path
    keys: Keys
    older: Path
    newest: Path


class Found(NamedTuple):
    """Who finds an edit: with the key alone, an older or the newest package, or a witness that knows either state."""

    by_key: bool
    by_older: bool
    by_newest: bool
    by_witness_then: bool
    by_witness_now: bool


def head_of(reader: Reader, size: int | None = None) -> note.Checkpoint:
    found = [note.parse_checkpoint(note.parse_note(data).text) for data in reader.checkpoints()]
    return next(one for one in reversed(found) if size in {None, one.size})


def vouched(data: Path, seen: note.Checkpoint) -> bool:
    """Whether a witness that has seen ``seen`` vouches for the ledger in ``data``; if so, that is kept beside it."""
    with open_reader(data) as reader:
        head = head_of(reader)
        try:
            proof = reader.consistency(seen.size, head.size)
            tree.verify_consistency(seen.size, head.size, seen.root, head.root, proof)
        except LedgerError:
            return False
    line = cosignature.sign(head.to_text(), WITNESS, SEEN_AT, _WITNESS.sign).to_line().encode()
    kept = store.Cosignature(head.size, head.root.hex(), WITNESS.name, WITNESS.to_text(), line, SEEN_AT)
    with store.open_outside(data, read_only=False) as outside:
        outside.add_cosignature(kept, SEEN_AT)
    return True


def is_found(package: Path, keys: Keys, *, witnessed: bool = False) -> bool:
    """By whoever has the public key; with ``witnessed``, and a policy that asks for the witness."""
    asked = policy.Policy((policy.Log(keys.verifier),), (policy.Witness("auditor", WITNESS),), (), "auditor")
    return verify(package, Trust((keys.verifier,), asked if witnessed else None)).exit != Exit.VERIFIED


def is_refuted(package: Path, earlier: Path) -> bool:
    """By whoever has kept ``earlier``: does the package not continue it?"""
    with package.open("rb") as second, earlier.open("rb") as first:
        return diff_packages(PackageTree(Package(first)), PackageTree(Package(second))).extends is not True


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Outside:
    """A ledger of 64 Records with a checkpoint after every eighth."""
    folder = tmp_path_factory.mktemp("packages")
    data = folder / "data"
    data.mkdir()
    ledger = ledgers.open_ledger(data)
    for index in range(1, SIZE):
        ledger.append_blocking(ledgers.call(f"text {index}"))
        if (index + 1) % forger.EVERY == 0:
            ledger.publish_blocking()
        if index + 1 == HELD:
            build(data, folder / "older.zip")
    ledger.close()
    build(data, folder / "newest.zip")
    return Outside(data, ledgers.keys_in(data), folder / "older.zip", folder / "newest.zip")


@pytest.mark.parametrize("at", [BEFORE, AFTER], ids=["before", "after"])
@each_edit
def test_without_the_key_every_edit_is_found_by_the_public_key_alone(
    outside: Outside, tmp_path: Path, name: str, attack: Attack, at: int
) -> None:
    """The forger signs with a key of its own, under the ledger's name: all but the trusted key fits."""
    (tmp_path / "own").mkdir()
    own = ledgers.keys_in(tmp_path / "own")
    forged = rewrite(outside.whole, tmp_path / name, attack(records_of(outside.whole), at), own)
    shutil.rmtree(forged / KEYS_DIR)
    shutil.copytree(tmp_path / "own" / KEYS_DIR, forged / KEYS_DIR)
    build(forged, tmp_path / "forged.zip")
    assert not is_found(tmp_path / "forged.zip", own)
    assert is_found(tmp_path / "forged.zip", outside.keys)


@each_edit
def test_without_a_new_signature_no_package_comes_out_of_a_rewritten_ledger(
    outside: Outside, tmp_path: Path, name: str, attack: Attack
) -> None:
    forged = rewrite(outside.whole, tmp_path / name, attack(records_of(outside.whole), AFTER), None)
    with pytest.raises(EvidenceError, match=r"(do not lead to|fewer than) its checkpoint"):
        build(forged, tmp_path / "forged.zip")


@pytest.mark.parametrize(
    ("at", "found"),
    [
        (BEFORE, Found(by_key=False, by_older=True, by_newest=True, by_witness_then=True, by_witness_now=True)),
        (AFTER, Found(by_key=False, by_older=False, by_newest=True, by_witness_then=False, by_witness_now=True)),
    ],
    ids=["before", "after"],
)
@each_edit
def test_with_the_key_an_edit_is_found_by_whoever_knows_a_state_after_it(
    outside: Outside, tmp_path: Path, name: str, attack: Attack, at: int, found: Found
) -> None:
    forged = rewrite(outside.whole, tmp_path / name, attack(records_of(outside.whole), at), outside.keys)
    package = tmp_path / "forged.zip"
    build(forged, package)
    with open_reader(outside.whole) as reader:
        then, now = head_of(reader, HELD), head_of(reader, SIZE)
    assert is_found(package, outside.keys, witnessed=True)  # nobody has vouched yet
    assert found == Found(
        by_key=is_found(package, outside.keys),
        by_older=is_refuted(package, outside.older),
        by_newest=is_refuted(package, outside.newest),
        by_witness_now=not vouched(forged, now),
        by_witness_then=not vouched(forged, then),
    )
    if not found.by_witness_then:
        build(forged, package)
        assert not is_found(package, outside.keys, witnessed=True)


def test_a_return_to_an_older_package_is_found_by_whoever_has_a_newer_one(outside: Outside) -> None:
    """No key is needed for it: the package was signed once."""
    assert not is_found(outside.older, outside.keys)
    assert not is_refuted(outside.older, outside.older)
    assert is_refuted(outside.older, outside.newest)


def test_the_true_ledger_is_found_by_nobody(outside: Outside, tmp_path: Path) -> None:
    """So the tests above find the edit and not the forger's clumsiness."""
    same = rewrite(outside.whole, tmp_path / "same", records_of(outside.whole), outside.keys)
    with open_reader(outside.whole) as reader:
        assert vouched(same, head_of(reader, HELD))
    build(same, tmp_path / "same.zip")
    assert not is_found(tmp_path / "same.zip", outside.keys, witnessed=True)
    assert not is_refuted(tmp_path / "same.zip", outside.older)
    assert not is_refuted(tmp_path / "same.zip", outside.newest)
