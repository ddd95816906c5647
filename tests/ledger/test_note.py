import base64
import contextlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import LedgerError
from holdfast.ledger import note, tree

TESSERA = Path(__file__).parent.parent / "vectors" / "tessera"
TESSERA_VKEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
C2SP_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = note.VerifierKey("gw.example.com/ledger/n1", PRIVATE.public_key().public_bytes_raw())
SIGNED = note.sign_note(note.Checkpoint(KEY.name, 7, bytes(32)).to_text(), KEY, PRIVATE.sign).to_text().encode()


def tessera_leaves() -> list[bytes]:
    data, entries = (TESSERA / "entries" / "15").read_bytes(), []
    while data:
        length = int.from_bytes(data[:2], "big")
        entries.append(tree.leaf_hash(data[2 : 2 + length]))
        data = data[2 + length :]
    return entries


@pytest.mark.parametrize("size", range(16))
def test_checkpoints_that_tessera_signed_verify_against_its_entries(size: int) -> None:
    key = note.parse_vkey(TESSERA_VKEY)
    checkpoint = note.open_checkpoint((TESSERA / f"checkpoint.{size}").read_bytes(), key)
    assert checkpoint == note.Checkpoint(key.name, size, tree.root_of(tessera_leaves()[:size]))


@pytest.mark.parametrize("size", range(1, 16))
def test_tiles_of_tessera_are_the_leaves(size: int) -> None:
    assert (TESSERA / "tile0" / str(size)).read_bytes() == b"".join(tessera_leaves()[:size])


def test_vkeys_are_read_and_written_as_c2sp_spells_them() -> None:
    for text in (TESSERA_VKEY, C2SP_VKEY):
        assert note.parse_vkey(text).to_text() == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "example.com/foo+530d903a",
        C2SP_VKEY.replace("530d903a", "530d903b"),
        C2SP_VKEY.replace("530d903a", "530D903A"),
        C2SP_VKEY.replace("+Aek", "+Bek"),
        C2SP_VKEY[:-1],
        C2SP_VKEY + "\n",
        C2SP_VKEY.replace("example.com/foo", "example com"),
        "a+" + "00" * 4 + "+" + base64.b64encode(b"\x01" + bytes(32)).decode(),
    ],
)
def test_a_malformed_vkey_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        note.parse_vkey(text)


def test_a_key_of_small_order_is_refused_when_it_is_enrolled() -> None:
    with pytest.raises(LedgerError, match="small order"):
        note.VerifierKey("log", (1).to_bytes(32, "little"))


def test_a_note_signed_here_verifies_and_reads_back_the_same() -> None:
    assert note.open_checkpoint(SIGNED, KEY) == note.Checkpoint(KEY.name, 7, bytes(32))
    assert note.parse_note(SIGNED).to_text().encode() == SIGNED


@given(st.integers(0, len(SIGNED) - 1), st.integers(1, 255))
def test_a_note_with_any_byte_changed_does_not_verify(at: int, mask: int) -> None:
    changed = SIGNED[:at] + bytes([SIGNED[at] ^ mask]) + SIGNED[at + 1 :]
    with pytest.raises(LedgerError):
        note.open_checkpoint(changed, KEY)


@given(st.integers(0, len(SIGNED) - 1))
def test_a_note_that_is_cut_short_does_not_verify(length: int) -> None:
    with pytest.raises(LedgerError):
        note.open_checkpoint(SIGNED[:length], KEY)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_note_or_an_error(data: bytes) -> None:
    with contextlib.suppress(LedgerError):
        assert note.parse_note(data).to_text().encode() == data


def test_signatures_of_unknown_keys_are_ignored_and_not_enough() -> None:
    other = note.VerifierKey("other", PRIVATE.public_key().public_bytes_raw())
    line = note.Signature("stranger", b"1234", b"whatever").to_line().encode()
    assert note.open_checkpoint(SIGNED + line * 20, KEY).size == 7
    with pytest.raises(LedgerError, match="no known key"):
        note.open_note(SIGNED, [other])


def test_a_bad_signature_under_a_known_key_spoils_the_note() -> None:
    bad = note.Signature(KEY.name, KEY.key_id, bytes(64)).to_line().encode()
    with pytest.raises(LedgerError, match="does not hold"):
        note.open_note(SIGNED + bad, [KEY])


@pytest.mark.parametrize(
    "text",
    [
        "log\n7\n",
        f"log\n07\n{base64.b64encode(bytes(32)).decode()}\n",
        f"log\n-7\n{base64.b64encode(bytes(32)).decode()}\n",
        f"log\n\u0667\n{base64.b64encode(bytes(32)).decode()}\n",
        f"log\n7\n{base64.b64encode(bytes(31)).decode()}\n",
        f"log\n7\n{base64.b64encode(bytes(32)).decode()}\nextension\n",
        f"log\n{2**63}\n{base64.b64encode(bytes(32)).decode()}\n",
        f"log\n{'9' * 5000}\n{base64.b64encode(bytes(32)).decode()}\n",
        f"\n7\n{base64.b64encode(bytes(32)).decode()}\n",
    ],
)
def test_a_malformed_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        note.parse_checkpoint(text)


def test_a_checkpoint_of_another_log_under_the_same_key_is_refused() -> None:
    text = note.Checkpoint("another/log", 7, bytes(32)).to_text()
    signed = note.sign_note(text, KEY, PRIVATE.sign).to_text().encode()
    with pytest.raises(LedgerError, match="another log"):
        note.open_checkpoint(signed, KEY)


def test_a_text_that_could_not_be_read_back_is_not_signed() -> None:
    for text in ("no newline", "a\x07bell\n"):
        with pytest.raises(LedgerError):
            note.sign_note(text, KEY, PRIVATE.sign)
