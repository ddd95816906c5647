"""The signed bytes: one spelling, one meaning, and no second reading."""

import dataclasses
import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.approval.doubles import key_of

from holdfast.approval.dsse import Envelope, pae, parse_envelope
from holdfast.approval.keys import sign_statement, signer_of
from holdfast.approval.statement import PAYLOAD_TYPE, Statement, parse_statement, verify_statement
from holdfast.errors import ApprovalError
from holdfast.ledger import ed25519

AT = dt.datetime(2026, 11, 22, 18, 0, tzinfo=dt.UTC)
STATEMENT = Statement(
    hold="H-ABCDEFGH23",
    decision="approve",
    request_digest_hex="11" * 32,
    view_digest_hex="22" * 32,
    requester=("https://idp.example", "agent"),
    rule="exports",
    rules_digest_hex="33" * 32,
    approver="alice",
    reason="agreed",
    not_before_at=AT,
    expires_at=AT + dt.timedelta(minutes=20),
    nonce="44" * 16,
)
ALICE = signer_of(key_of("alice"))
ENVELOPE = sign_statement(STATEMENT, ALICE)


def test_the_bytes_that_are_signed_are_those_of_the_dsse_vector() -> None:
    # https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, "Test Vectors"
    encoded = pae("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_lengths_are_counted_in_bytes() -> None:
    assert pae("é", "é".encode()) == "DSSEv1 2 é 2 é".encode()


def test_a_statement_reads_back_as_it_was_written() -> None:
    assert parse_statement(STATEMENT.to_bytes()) == STATEMENT
    token = dataclasses.replace(STATEMENT, token_digest_hex="55" * 32)
    assert parse_statement(token.to_bytes()) == token
    assert (STATEMENT.assurance, token.assurance) == ("signature", "token")


def test_a_signed_statement_verifies_with_its_key_and_no_other() -> None:
    assert verify_statement(ENVELOPE, ALICE.public, ed25519.verify) == STATEMENT
    with pytest.raises(ApprovalError, match="signature"):
        verify_statement(ENVELOPE, signer_of(key_of("bob")).public, ed25519.verify)


def test_the_same_statement_and_key_give_the_same_bytes() -> None:
    assert sign_statement(STATEMENT, ALICE) == ENVELOPE


def test_a_signature_for_another_payload_type_is_none_for_an_approval() -> None:
    payload = STATEMENT.to_bytes()
    other = Envelope("application/json", payload, "", ALICE.sign(pae("application/json", payload)))
    with pytest.raises(ApprovalError, match="something else"):
        verify_statement(other.to_bytes(), ALICE.public, ed25519.verify)
    relabelled = dataclasses.replace(other, payload_type=PAYLOAD_TYPE)
    with pytest.raises(ApprovalError, match="signature"):
        verify_statement(relabelled.to_bytes(), ALICE.public, ed25519.verify)


@given(st.integers(0, len(ENVELOPE) * 8 - 1))
def test_any_flipped_bit_is_noticed(position: int) -> None:
    changed = bytearray(ENVELOPE)
    changed[position // 8] ^= 1 << position % 8
    key_id = parse_envelope(ENVELOPE).key_id
    try:
        verify_statement(bytes(changed), ALICE.public, ed25519.verify)
    except ApprovalError:
        return
    # The key id is a hint that is not signed; everything else is.
    assert parse_envelope(bytes(changed)).key_id != key_id


@given(st.binary(max_size=300))
def test_any_bytes_are_a_statement_or_an_approval_error(data: bytes) -> None:
    for parse in (parse_statement, parse_envelope):
        with pytest.raises(ApprovalError):
            parse(data)


@pytest.mark.parametrize(
    "change",
    [
        {"v": 2},
        {"v": True},
        {"v": 1.0},
        {"max_uses": 2},
        {"decision": "maybe"},
        {"hold": "H-abcdefgh23"},
        {"request": "AA" * 32},
        {"nonce": "short"},
        {"reason": 7},
        {"reason": "x" * 501},
        {"not_before": "2026-11-22T18:00:00Z"},
        {"not_before": "2026-11-22T18:00:00.000000+00:00"},
        {"requester": {"iss": "https://idp.example"}},
        {"requester": {"iss": "a", "sub": "b", "act": "c"}},
        {"extra": 1},
        {"token": None},
    ],
    ids=str,
)
def test_a_statement_of_another_form_is_refused(change: dict[str, object]) -> None:
    data = json.dumps(STATEMENT.to_json() | change, sort_keys=True, separators=(",", ":")).encode()
    with pytest.raises(ApprovalError):
        parse_statement(data)


def test_a_member_that_is_missing_is_refused() -> None:
    for name in STATEMENT.to_json():
        value = {key: item for key, item in STATEMENT.to_json().items() if key != name}
        with pytest.raises(ApprovalError):
            parse_statement(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


@pytest.mark.parametrize(
    "respell",
    [
        lambda data: data + b" ",
        lambda data: data.replace(b'":"', b'": "', 1),
        lambda data: data.replace(b"agreed", b"\\u0061greed"),
        lambda data: b'{"approver":"bob",' + data[1:],
    ],
)
def test_a_second_spelling_of_a_statement_is_refused(respell: "type[object]") -> None:
    changed = respell(STATEMENT.to_bytes())  # type: ignore[call-arg] # a lambda of bytes
    with pytest.raises(ApprovalError):
        parse_statement(changed)  # type: ignore[arg-type] # bytes, see above


def test_an_envelope_with_two_signatures_or_loose_base64_is_refused() -> None:
    value = json.loads(ENVELOPE)
    twice = value | {"signatures": value["signatures"] * 2}
    none = value | {"signatures": []}
    loose = value | {"payload": value["payload"] + "\n"}
    for wrong in (twice, none, loose, value | {"more": 1}):
        with pytest.raises(ApprovalError):
            parse_envelope(json.dumps(wrong, sort_keys=True, separators=(",", ":")).encode())


def test_reading_a_statement_needs_the_standard_library_alone() -> None:
    root = Path(__file__).parents[2]
    code = (
        f"import sys; sys.path.insert(0, {str(root / 'addons')!r}); import holdfast.approval.statement;"
        "known = sys.stdlib_module_names | {'holdfast', '__main__'};"
        "print([name for name in sys.modules if name.partition('.')[0] not in known])"
    )
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
