import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.ledger import ed25519
from holdfast.ledger.signatures import verify_signature

CASES = json.loads((Path(__file__).parent.parent / "vectors" / "ed25519" / "ed25519vectors.json").read_bytes())


def accepts(verify: Callable[[bytes, bytes, bytes], bool], case: dict[str, Any]) -> bool:
    return verify(bytes.fromhex(case["key"]), case["msg"].encode(), bytes.fromhex(case["sig"]))


def openssl_accepts(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def test_the_edge_cases_are_all_here() -> None:
    assert len(CASES) == 914


def test_the_two_verifiers_agree_on_every_edge_case() -> None:
    accepted = [case["number"] for case in CASES if accepts(ed25519.verify, case)]
    assert accepted == [case["number"] for case in CASES if accepts(verify_signature, case)]
    # libsodium accepts as many of these; OpenSSL by itself, which permits points of small order, 208.
    assert len(accepted) == 43
    assert sum(accepts(openssl_accepts, case) for case in CASES) == 208


def test_no_edge_case_with_a_small_order_or_non_canonical_point_is_accepted() -> None:
    flags = {"low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R"}
    for case in CASES:
        if flags & set(case["flags"] or ()):
            assert not accepts(ed25519.verify, case)


@settings(max_examples=20)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=100), st.data())
def test_honest_signatures_verify_and_changed_ones_do_not(seed: bytes, message: bytes, data: st.DataObject) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert ed25519.verify(public, message, signature)
    assert not ed25519.verify(public, message + b"!", signature)
    at = data.draw(st.integers(0, 63))
    changed = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
    assert not ed25519.verify(public, message, changed)


@pytest.mark.parametrize("length", [0, 31, 33, 63, 65])
def test_other_lengths_are_refused(length: int) -> None:
    public = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
    assert not ed25519.verify(public, b"", bytes(length))
    assert not ed25519.verify(bytes(length), b"", bytes(64))


def test_rfc_8032_test_2_verifies() -> None:
    public = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
    signature = bytes.fromhex(
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )
    assert ed25519.verify(public, b"\x72", signature)
