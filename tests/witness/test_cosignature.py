import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from tests.witness.worlds import Log, decode, path, private_key

from holdfast.errors import LedgerError
from holdfast.ledger import note, record
from holdfast.witness import cosignature

AT = dt.datetime(2026, 11, 22, 18, 0, 0, tzinfo=dt.UTC)
PRIVATE = private_key("witness")
KEY = cosignature.CosignerKey("witness.example.com/w1", PRIVATE.public_key().public_bytes_raw())
TEXT = note.parse_note(Log().grown(3).checkpoint()).text
# transparency-dev/formats, note/note_cosigv1_test.go: a witness's vkey, one of a plain key, and a line's time.
VKEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
PLAIN_VKEY = "TEST+7997405c+AQcC+FTVKf0jlTdHDY3rbevmnKxxPjigCXlVtGe6RIr6"
LINE = "ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gxEHWWOworDcFiEBYJXORmnFBOBA=="


def signed(text: str = TEXT, at: dt.datetime = AT) -> note.Signature:
    return cosignature.sign(text, KEY, at, PRIVATE.sign)


def test_a_published_vkey_of_a_witness_is_read_and_written_back() -> None:
    key = cosignature.parse_vkey(VKEY)
    assert (key.name, key.key_id.hex(), key.to_text()) == ("remora.n621.de", "da77ade7", VKEY)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN_VKEY,
        VKEY.replace("da77ade7", "da77ade8"),
        VKEY.replace("da77ade7", "DA77ADE7"),
        VKEY[:-1],
        VKEY + "+",
        "remora.n621.de+da77ade7",
        "",
        # Small order: under the identity one signature fits every message.
        f"w+{'0' * 8}+BAEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    ],
)
def test_what_is_no_vkey_of_a_witness_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        cosignature.parse_vkey(text)


def test_the_time_stands_where_others_read_it() -> None:
    # The published line is over a text that was not published: only its time can be compared.
    data = decode(LINE)[note.KEY_ID_BYTES :]
    assert int.from_bytes(data[: cosignature.TIME_BYTES], "big") == 1727964367
    assert len(data) == cosignature.TIME_BYTES + 64


def test_the_signed_message_is_that_of_the_specification() -> None:
    text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    expected = "cosignature/v1\ntime 1679315147\n" + text
    assert cosignature.message(text, 1679315147) == expected.encode()


def test_the_example_of_the_format_is_made_and_verifies() -> None:
    document = Path(record.__file__).with_name("FORMAT.md").read_text("utf-8")
    text = document.partition("## 8.")[2].split("```")[1].split("\n\n")[1] + "\n"
    (line,) = (line for line in document.splitlines(keepends=True) if line.startswith("— witness.example.com/w1"))
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
    key = cosignature.CosignerKey("witness.example.com/w1", private.public_key().public_bytes_raw())
    made = cosignature.sign(text, key, AT, private.sign)
    assert made.to_line() == line
    assert cosignature.verify(made, text, key) == AT


def test_what_a_verifier_needs_is_the_standard_library() -> None:
    code = (
        "import sys, holdfast.witness.cosignature, holdfast.witness.policy, holdfast.witness.protocol, "
        "holdfast.witness.timestamp; print({name.split('.')[0] for name in sys.modules} "
        "- set(sys.stdlib_module_names) - {'__main__', 'holdfast'})"
    )
    environment = {"PYTHONPATH": path()}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout == "set()\n"


def test_a_cosignature_verifies_and_says_when_it_was_made() -> None:
    assert cosignature.verify(signed(), TEXT, KEY) == AT
    assert cosignature.verify(signed(at=AT.replace(microsecond=999_999)), TEXT, KEY) == AT


def test_a_cosignature_is_no_signature_of_a_plain_note_and_the_reverse() -> None:
    plain = note.VerifierKey(KEY.name, KEY.public)
    assert plain.key_id != KEY.key_id
    checkpoint = note.sign_note(TEXT, plain, PRIVATE.sign)
    with pytest.raises(LedgerError, match="not by"):
        cosignature.verify(checkpoint.signatures[0], TEXT, KEY)


@given(position=st.integers(min_value=0, max_value=71), bit=st.integers(min_value=0, max_value=7))
def test_any_flipped_bit_of_time_or_signature_is_found(position: int, bit: int) -> None:
    good = signed()
    data = bytearray(good.data)
    data[position] ^= 1 << bit
    with pytest.raises(LedgerError):
        cosignature.verify(note.Signature(good.name, good.key_id, bytes(data)), TEXT, KEY)


def test_a_cosignature_of_another_checkpoint_does_not_hold() -> None:
    with pytest.raises(LedgerError, match="does not hold"):
        cosignature.verify(signed(), TEXT.replace("\n3\n", "\n4\n"), KEY)


@pytest.mark.parametrize("data", [b"", b"\x00" * 71, b"\x00" * 73, b"\x00" * 72, b"\xff" * 72])
def test_what_has_no_form_or_time_of_a_cosignature_is_refused(data: bytes) -> None:
    with pytest.raises(LedgerError):
        cosignature.verify(note.Signature(KEY.name, KEY.key_id, data), TEXT, KEY)


def test_a_time_before_1970_cannot_be_signed() -> None:
    with pytest.raises(LedgerError, match="1970"):
        signed(at=dt.datetime(1960, 1, 1, tzinfo=dt.UTC))
