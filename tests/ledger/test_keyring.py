import dataclasses
import hashlib
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger import note
from holdfast.ledger.keyring import ROTATIONS_MAX, KeyRing, Rotation, rotation_of, rotations_in

ORIGIN = "gw.example.com/ledger/n1"
SECRETS = [Ed25519PrivateKey.from_private_bytes(hashlib.sha256(bytes([number])).digest()) for number in range(5)]
KEYS = [note.VerifierKey(ORIGIN, secret.public_key().public_bytes_raw()) for secret in SECRETS]
RING = KeyRing(KEYS[0], (Rotation(10, KEYS[0], KEYS[1]), Rotation(20, KEYS[1], KEYS[2])))


def signed(size: int, *numbers: int, origin: str = ORIGIN) -> bytes:
    """A checkpoint of ``size``, signed by the keys of these numbers."""
    text = note.Checkpoint(origin, size, bytes(32)).to_text()
    lines = [note.sign_note(text, KEYS[number], SECRETS[number].sign).signatures[0] for number in numbers]
    return note.Note(text, tuple(lines)).to_text().encode()


def rotated(**more: object) -> JsonObject:
    keys = {"old": KEYS[0].to_text(), "new": KEYS[1].to_text()}
    record: JsonObject = {"typ": "ledger.rotated", "n": 10, "keys": dict(keys)}
    return {**record, **more}  # type: ignore[dict-item]


@pytest.mark.parametrize(("size", "number"), [(0, 0), (10, 0), (11, 1), (20, 1), (21, 2), (2**40, 2)])
def test_the_key_of_a_checkpoint_is_that_of_the_last_rotation_before_its_size(size: int, number: int) -> None:
    assert RING.key_at(size) == KEYS[number]
    assert RING.open_checkpoint(signed(size, number)).size == size


@pytest.mark.parametrize(("size", "number"), [(10, 1), (11, 0), (11, 2), (21, 1), (21, 0)])
def test_a_checkpoint_that_another_key_of_the_ring_signed_is_refused(size: int, number: int) -> None:
    with pytest.raises(LedgerError, match=f"which signs at size {size}, has not"):
        RING.open_checkpoint(signed(size, number))


def test_a_key_that_is_not_of_the_ring_signs_nothing() -> None:
    with pytest.raises(LedgerError, match="no known key"):
        RING.open_checkpoint(signed(5, 4))
    with pytest.raises(LedgerError, match="another log"):
        RING.open_checkpoint(signed(5, 0, origin="another/log"))


def test_a_bad_signature_of_any_key_of_the_ring_spoils_a_checkpoint() -> None:
    good, other = note.parse_note(signed(21, 2)), note.parse_note(signed(22, 1))
    both = note.Note(good.text, (*good.signatures, *other.signatures)).to_text().encode()
    with pytest.raises(LedgerError, match="does not hold"):
        RING.open_checkpoint(both)


def test_a_handover_is_signed_by_both_keys_and_lies_before_the_next_rotation() -> None:
    first, second = RING.rotations
    assert RING.open_handover(signed(15, 1, 0), first).size == 15
    for data in (signed(15, 1), signed(15, 0), signed(15, 0, 2)):
        with pytest.raises(LedgerError, match=r"lacks the old key|has not"):
            RING.open_handover(data, first)
    for size, numbers, rotation in [(10, (0, 1), first), (21, (2, 1, 0), first), (15, (1, 0), second)]:
        with pytest.raises(LedgerError, match="is not the handover of"):
            RING.open_handover(signed(size, *numbers), rotation)


def test_which_rotations_a_checkpoint_hands_over_follows_from_the_one_before_it() -> None:
    assert RING.handed_over(0, 10) == ()
    assert RING.handed_over(10, 11) == RING.rotations[:1]
    assert RING.handed_over(11, 20) == ()
    assert RING.handed_over(15, 30) == RING.rotations[1:]
    with pytest.raises(LedgerError, match="record 20: no checkpoint was signed since"):
        RING.handed_over(5, 30)


@pytest.mark.parametrize(
    ("rotation", "message"),
    [
        (Rotation(30, KEYS[1], KEYS[3]), "from a key that did not sign"),
        (Rotation(30, KEYS[2], KEYS[2]), "has signed before"),
        (Rotation(30, KEYS[2], KEYS[0]), "has signed before"),
        (Rotation(20, KEYS[2], KEYS[3]), "out of order"),
        (Rotation(5, KEYS[2], KEYS[3]), "out of order"),
        (Rotation(30, KEYS[2], dataclasses.replace(KEYS[3], name="another/log")), "key of another ledger"),
    ],
    ids=["a retired key hands over", "to itself", "a retired key comes back", "twice", "earlier", "another ledger"],
)
def test_a_rotation_that_does_not_follow_is_refused(rotation: Rotation, message: str) -> None:
    with pytest.raises(LedgerError, match=message):
        RING.grown(rotation)


def test_the_genesis_is_no_rotation_and_there_are_not_endlessly_many() -> None:
    with pytest.raises(LedgerError, match="out of order"):
        KeyRing(KEYS[0], (Rotation(0, KEYS[0], KEYS[1]),))
    with pytest.raises(LedgerError, match="at most"):
        KeyRing(KEYS[0], (Rotation(1, KEYS[0], KEYS[1]),) * (ROTATIONS_MAX + 1))


def test_every_key_of_a_ring_leads_to_the_whole_ring_and_no_other_does() -> None:
    for key in KEYS[:3]:
        assert KeyRing.of(RING.rotations, key) == RING
    for key in (KEYS[3], dataclasses.replace(KEYS[0], name="another/log")):
        with pytest.raises(LedgerError, match="has never signed this ledger"):
            KeyRing.of(RING.rotations, key)
    assert KeyRing.of((), KEYS[3]).keys == (KEYS[3],)


def test_rotations_are_found_among_records_and_nothing_else_is() -> None:
    other = b'{"reason":"\\"typ\\":\\"ledger.rotated\\"","typ":"ledger.stop"}'
    entries = [(9, other), (10, json.dumps(rotated(), separators=(",", ":")).encode()), (11, other)]
    assert rotations_in(entries) == RING.rotations[:1]


MALFORMED: dict[str, Callable[[], JsonObject]] = {
    "no key": lambda: rotated(keys={"old": KEYS[0].to_text(), "new": "nothing"}),
    "no old key": lambda: rotated(keys={"new": KEYS[1].to_text()}),
    "no time": lambda: rotated(keys={"old": KEYS[0].to_text(), "new": KEYS[1].to_text(), "until": "soon"}),
}


@pytest.mark.parametrize("make", MALFORMED.values(), ids=MALFORMED)
def test_a_rotation_whose_keys_are_none_is_refused(make: Callable[[], JsonObject]) -> None:
    with pytest.raises(LedgerError, match=r"vkey|until"):
        rotation_of(make())


def test_a_moved_rotation_is_named() -> None:
    entry = json.dumps(rotated(), separators=(",", ":")).encode()
    with pytest.raises(LedgerError, match="record 12: says another index"):
        rotations_in([(12, entry)])
    with pytest.raises(LedgerError, match="record 3: is not JSON"):
        rotations_in([(3, b'"typ":"ledger.rotated"')])
