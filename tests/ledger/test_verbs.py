from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.ledgers import ORIGIN, call, heartbeat
from tests.ledger.served import Peer, Served, appending

from holdfast.approval.dsse import pae
from holdfast.approval.statement import PAYLOAD_TYPE, Statement
from holdfast.clock import SetClock
from holdfast.ledger.draft import Draft
from holdfast.ledger.reader import open_reader
from holdfast.ledger.remote.verbs import Role
from holdfast.ledger.signatures import verify_signature

EXPORTED = Draft(
    "evidence.exported", {"export": {"digest": "0" * 64, "first": 0, "size": 1}, "operator": {"uid": 4711}}
)
NOW = SetClock().now_at()
ERASE: dict[str, Any] = {
    "verb": "erase",
    "commitments": [],
    "basis": "request",
    "reason": "r",
    "before": None,
    "retention": None,
}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    data = tmp_path / "data"
    data.mkdir()
    with Served(data, tmp_path / "l.sock") as served:
        yield served


def statement(**more: Any) -> bytes:
    shared: dict[str, Any] = {"request_digest_hex": "1" * 64, "view_digest_hex": "2" * 64, "rules_digest_hex": "3" * 64}
    shared |= {"hold": "H-ABCDEFGHIJ", "decision": "approve", "requester": ("i", "s"), "rule": "r", "approver": "a"}
    shared |= {"reason": "", "not_before_at": NOW, "expires_at": NOW, "nonce": "4" * 32, "token_digest_hex": "5" * 64}
    return Statement(**(shared | more)).to_bytes()


def refusal(peer: Peer, header: dict[str, Any], payload: bytes = b"") -> str:
    answer = peer.ask(header, payload)
    assert set(answer) == {"id", "error"}, answer
    text = answer["error"]
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (ERASE, "may not ask that"),
        ({"verb": "rotate", "overlap_s": 0, "reason": "r"}, "may not ask that"),
        (appending(EXPORTED)[0], "may not write this"),
        (appending(Draft("witness.up", {}))[0], "may not write this"),
        (appending(Draft("ledger.genesis", {}))[0], "only the ledger itself"),
        (appending(Draft("payload.erased", {}))[0], "only the ledger itself"),
        (appending(Draft("ledger.rotated", {}))[0], "only the ledger itself"),
        (appending(heartbeat(), Draft("ledger.stop", {"process": "writer"}))[0], "only the writer speaks"),
        # Without the member it would speak for both, and a writer that crashes next would seem to have stopped.
        (appending(Draft("ledger.stop", {}))[0], "only the writer speaks"),
        (appending(Draft("ledger.start", {}))[0], "only the writer speaks"),
        ({"verb": "delete", "index": 1}, "there is no such request"),
        ({"verb": ["append"]}, "there is no such request"),
    ],
)
def test_a_gateway_may_not_do_what_keepers_may(served: Served, header: dict[str, Any], words: str) -> None:
    served.socket.peers.role_of = lambda _uid: Role.GATEWAY
    with served.peer() as peer, open_reader(served.data) as reader:
        before = reader.size()
        assert words in refusal(peer, header)
        assert reader.size() == before


def test_an_operator_writes_what_commands_write_and_is_named_by_the_system(served: Served) -> None:
    served.socket.peers.role_of = lambda _uid: Role.OPERATOR
    with served.peer() as peer, open_reader(served.data) as reader:
        assert "writes this itself" in refusal(peer, *appending(call()))
        assert "may not ask that" in refusal(peer, {"verb": "sign", "type": PAYLOAD_TYPE}, b"x")
        ((index, *_),) = peer.ask(*appending(EXPORTED))["ok"]["receipts"]
        assert b'"operator":{"name":' in reader.record(index)
        assert b"4711" not in reader.record(index)


@pytest.mark.parametrize(
    "header",
    [
        {"verb": "append"},
        {"verb": "append", "drafts": [], "more": 1},
        {"verb": "hello", "version": 2},
        {"verb": "publish", "now": True},
        {"verb": "records", "start": 5, "end": 1},
        {"verb": "records", "start": -1, "end": 1},
        {"verb": "put"},
        {"verb": "rotate", "overlap_s": "0", "reason": "r"},
        ERASE | {"basis": "mood"},
        ERASE | {"commitments": [7]},
    ],
)
def test_a_request_without_exactly_its_members_is_refused(served: Served, header: dict[str, Any]) -> None:
    with served.peer() as peer:
        refusal(peer, header)
        assert "ok" in peer.ask({"verb": "publish"})


def test_the_key_signs_a_statement_about_a_token(served: Served) -> None:
    message = pae(PAYLOAD_TYPE, statement())
    with served.peer() as peer:
        peer.say({"id": 1, "verb": "sign", "type": PAYLOAD_TYPE}, message)
        signature = peer.hear().payload
    assert verify_signature(served.ledger.verifier().public, message, signature)


@pytest.mark.parametrize(
    ("payload_type", "data"),
    [
        ("text/plain", pae("text/plain", b"x")),
        (PAYLOAD_TYPE, f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n".encode()),
        (PAYLOAD_TYPE, pae(PAYLOAD_TYPE, b"anything")),
        (PAYLOAD_TYPE, pae(PAYLOAD_TYPE, statement(token_digest_hex=None))),
        (PAYLOAD_TYPE, pae("application/vnd.in-toto+json", statement())),
        ("text/plain", pae(PAYLOAD_TYPE, statement())),
        (PAYLOAD_TYPE, pae(PAYLOAD_TYPE, statement()) + b" "),
        (PAYLOAD_TYPE, pae(PAYLOAD_TYPE, statement()).replace(b"+json ", b"+json 0")),
        (PAYLOAD_TYPE, b""),
    ],
)
def test_the_key_signs_nothing_else(served: Served, payload_type: str, data: bytes) -> None:
    with served.peer() as peer:
        assert refusal(peer, {"verb": "sign", "type": payload_type}, data)
