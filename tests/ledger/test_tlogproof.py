import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import LedgerError
from holdfast.ledger import note, tlogproof, tree
from holdfast.ledger.keyring import KeyRing, Rotation

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "tlog-proof" / "formats.json").read_bytes())
PRIVATE, NEXT = (Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in (1, 2))
KEY, NEXT_KEY = (
    note.VerifierKey("gw.example.com/ledger/n1", k.public_key().public_bytes_raw()) for k in (PRIVATE, NEXT)
)
RECORDS = [f"record {number}".encode() for number in range(300)]
LEAVES = [tree.leaf_hash(entry) for entry in RECORDS]
NODES = tree.nodes_of(LEAVES)


def signed(size: int, key: note.VerifierKey = KEY, private: Ed25519PrivateKey = PRIVATE) -> bytes:
    text = note.Checkpoint(key.name, size, tree.root_of(LEAVES[:size])).to_text()
    return note.sign_note(text, key, private.sign).to_text().encode()


def proof_of(index: int, size: int = 300, **more: Any) -> tlogproof.Proof:
    return tlogproof.Proof(index, tree.inclusion_proof(index, size, NODES), signed(size, **more))


PROOF = tlogproof.format(proof_of(123))


def spelled(case: dict[str, Any]) -> bytes:
    return str(case["file"]).replace("{a}", "a" * case.get("a_repeated", 0)).encode()


@pytest.mark.parametrize("case", VECTORS["good"], ids=lambda case: case["name"])
def test_published_proofs_are_read_and_written_byte_for_byte(case: dict[str, Any]) -> None:
    proof = tlogproof.parse(spelled(case))
    assert tlogproof.format(proof) == spelled(case)
    assert (proof.index, proof.checkpoint, proof.extra) == (
        case["index"],
        case["checkpoint"].encode(),
        case["extra"].encode(),
    )
    assert len(proof.path) == len(case["hashes"])


@pytest.mark.parametrize("case", VECTORS["bad"], ids=lambda case: case["name"])
def test_published_malformed_proofs_are_refused(case: dict[str, Any]) -> None:
    with pytest.raises(LedgerError):
        tlogproof.parse(spelled(case))


@pytest.mark.parametrize("index", [0, 1, 255, 256, 299])
def test_a_proof_shows_that_a_record_is_in_the_log_and_says_which_checkpoint(index: int) -> None:
    proof = tlogproof.parse(tlogproof.format(proof_of(index)))
    assert tlogproof.verify(proof, LEAVES[index], [KEY]) == note.Checkpoint(KEY.name, 300, tree.root_of(LEAVES))
    assert tlogproof.verify(proof, LEAVES[index], KeyRing(KEY)).size == 300


def test_a_proof_of_another_record_index_or_tree_does_not_hold() -> None:
    proof = proof_of(123)
    with pytest.raises(LedgerError, match="does not lead to the root"):
        tlogproof.verify(proof, LEAVES[124], [KEY])
    with pytest.raises(LedgerError):
        tlogproof.verify(tlogproof.Proof(124, proof.path, proof.checkpoint), LEAVES[123], [KEY])
    with pytest.raises(LedgerError):
        tlogproof.verify(tlogproof.Proof(123, proof.path, signed(299)), LEAVES[123], [KEY])


def test_a_proof_under_a_key_that_is_not_trusted_does_not_hold() -> None:
    with pytest.raises(LedgerError, match="no known key"):
        tlogproof.verify(proof_of(1), LEAVES[1], [NEXT_KEY])
    stranger = note.VerifierKey("another/log", KEY.public)
    with pytest.raises(LedgerError, match="of which no key is trusted"):
        tlogproof.verify(proof_of(1), LEAVES[1], [stranger])


def test_after_a_rotation_the_key_that_its_size_asks_for_must_have_signed() -> None:
    ring = KeyRing(KEY, (Rotation(200, KEY, NEXT_KEY),))
    assert tlogproof.verify(proof_of(5, 200), LEAVES[5], ring).size == 200
    assert tlogproof.verify(proof_of(5, 300, key=NEXT_KEY, private=NEXT), LEAVES[5], ring).size == 300
    with pytest.raises(LedgerError):
        tlogproof.verify(proof_of(5, 300), LEAVES[5], ring)


@given(st.integers(0, len(PROOF) - 1), st.integers(1, 255))
def test_a_proof_with_any_byte_changed_does_not_hold(at: int, mask: int) -> None:
    changed = PROOF[:at] + bytes([PROOF[at] ^ mask]) + PROOF[at + 1 :]
    with pytest.raises(LedgerError):
        tlogproof.verify(tlogproof.parse(changed), LEAVES[123], [KEY])


@given(st.integers(0, len(PROOF) - 1))
def test_a_proof_that_is_cut_short_does_not_hold(length: int) -> None:
    with pytest.raises(LedgerError):
        tlogproof.verify(tlogproof.parse(PROOF[:length]), LEAVES[123], [KEY])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_proof_in_one_spelling_or_an_error(data: bytes) -> None:
    for attempt in (data, tlogproof.HEADER.encode() + b"\nindex 1\n" + data):
        with contextlib.suppress(LedgerError):
            assert tlogproof.format(tlogproof.parse(attempt)) == attempt


@pytest.mark.parametrize(
    "head",
    [
        "index 07\n",
        "index 00\n",
        "index \n",
        "index +1\n",
        "index 9223372036854775808\n",
        "index 1 \n",
        "extra \nindex 1\n",
    ],
)
def test_a_second_spelling_of_a_proof_is_refused(head: str) -> None:
    with pytest.raises(LedgerError):
        tlogproof.parse(f"{tlogproof.HEADER}\n{head}\ncheckpoint\n".encode())


def test_extra_data_travels_with_a_proof_and_is_bounded() -> None:
    proof = proof_of(7)
    carried = tlogproof.Proof(7, proof.path, proof.checkpoint, b"ticket 4711")
    assert tlogproof.parse(tlogproof.format(carried)) == carried
    with pytest.raises(LedgerError, match="extra data"):
        tlogproof.parse(tlogproof.format(tlogproof.Proof(7, proof.path, proof.checkpoint, bytes(20_000))))


def test_a_path_longer_than_any_tree_is_refused() -> None:
    with pytest.raises(LedgerError, match="more than 63"):
        tlogproof.parse(tlogproof.format(tlogproof.Proof(0, (bytes(32),) * 64, b"checkpoint\n")))


def test_the_example_in_the_format_is_the_proof_that_it_says() -> None:
    page = (Path(tlogproof.__file__).parent / "FORMAT.md").read_text("utf-8")
    example = "c2sp.org" + page.partition("```\nc2sp.org")[2].partition("```")[0]
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    key = note.VerifierKey(KEY.name, private.public_key().public_bytes_raw())
    proof = tlogproof.parse(example.encode())
    assert (proof.index, tlogproof.verify(proof, LEAVES[2], [key]).size) == (2, 4)
