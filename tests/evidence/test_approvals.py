"""V11 against whole ledgers in which one thing about an approval is wrong: the ledger's own key signed all of it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.evidence.world import BOT, MAYA, World

from holdfast.approval.keys import signer_of
from holdfast.evidence.build import build
from holdfast.evidence.verify import Exit, verify


def _other_key(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "", signer=signer_of(Ed25519PrivateKey.from_private_bytes(b"9" * 32)))
    held.go()


def _no_approval(world: World) -> None:
    world.hold(BOT, 0).go()


def _denied(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("deny", "")
    held.go()


def _other_request(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "", request_digest_hex="ab" * 32)
    held.go()


def _other_view(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "", view_digest_hex=hashlib.sha256(b"another view").hexdigest())
    held.go()


def _twice(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "")
    held.go()
    held.go(use=2)


def _too_late(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "")
    world.clock.advance(301)
    held.go()


def _decided_too_late(world: World) -> None:
    held = world.hold(BOT, 0)
    world.clock.advance(901)
    held.decide("approve", "")


def _another_caller(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "")
    held.base = held.base | {"who": MAYA.who()}
    held.go()


def _claims_token(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "", token_digest_hex="cd" * 32)


def _used_without_call(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "")
    held.close("used")


WRONGS: dict[str, tuple[Callable[[World], None], str]] = {
    "signed by a key that is not enrolled": (_other_key, "the signature does not hold"),
    "no approval": (_no_approval, "went out with 0 approvals of 1"),
    "a no": (_denied, "went out with 0 approvals of 1"),
    "another request": (_other_request, "names another request"),
    "another view": (_other_view, "names another view"),
    "used twice": (_twice, "was used before"),
    "used too late": (_too_late, "had to be used"),
    "decided too late": (_decided_too_late, "after the hold had expired"),
    "another caller": (_another_caller, "another caller"),
    "a signature that claims a token": (_claims_token, "not one by signature"),
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_an_approval_that_does_not_fit_is_found(world: World, tmp_path: Path, wrong: str) -> None:
    do, expected = WRONGS[wrong]
    do(world)
    world.ledger.close()
    build(world.folder, tmp_path / "wrong.zip")
    result = verify(tmp_path / "wrong.zip", [world.keys.verifier])
    assert result.exit == Exit.TAMPERED
    assert result.headline.startswith("V11: record "), result.headline
    assert expected in result.headline


def test_a_call_that_vanished_before_a_restart_is_found(world: World, tmp_path: Path) -> None:
    vanished = world.call(world.base(MAYA, "get_customer"), {})
    world.reopen(60)
    world.start(clean=False)
    world.read(MAYA)
    world.ledger.close()
    build(world.folder, tmp_path / "vanished.zip")
    result = verify(tmp_path / "vanished.zip", [world.keys.verifier])
    assert result.headline == f"V8: record {vanished}: this call has no reply and no recorded reason why not"


def test_a_call_that_waits_for_its_reply_is_told_and_is_no_fault(world: World, tmp_path: Path) -> None:
    waiting = world.call(world.base(MAYA, "get_customer"), {})
    build(world.folder, tmp_path / "waiting.zip")
    world.ledger.close()
    result = verify(tmp_path / "waiting.zip", [world.keys.verifier])
    assert result.exit == Exit.VERIFIED, result.headline
    assert any(f"still unanswered at the end: records {waiting}" in step.sentence for step in result.steps)


def test_a_grant_that_a_crash_lost_is_told_and_is_no_fault(world: World, tmp_path: Path) -> None:
    _used_without_call(world)
    world.ledger.close()
    build(world.folder, tmp_path / "spent.zip")
    result = verify(tmp_path / "spent.zip", [world.keys.verifier])
    assert result.exit == Exit.VERIFIED, result.headline
    assert any("1 approvals were spent on a call that did not go out" in step.sentence for step in result.steps)
