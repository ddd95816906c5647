"""V11 against whole ledgers in which one thing about an approval is wrong: the ledger's own key signed all of it."""

import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.evidence.world import BOT, ISSUER, MAYA, World

from holdfast.approval.dsse import MEDIA_TYPE
from holdfast.approval.keys import sign_statement, signer_of
from holdfast.clock import utc_text
from holdfast.evidence.build import build
from holdfast.evidence.verify import Exit, verify
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft, Payload


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
    world.clock.advance(306)
    held.go()


def _decided_too_late(world: World) -> None:
    held = world.hold(BOT, 0)
    world.clock.advance(906)
    held.decide("approve", "")


def _another_caller(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "")
    held.base = held.base | {"who": MAYA.who()}
    held.go()


def _claims_token(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "", token_digest_hex="cd" * 32)


def _no_statement(world: World) -> None:
    held = world.hold(BOT, 0)
    appr: JsonObject = {"id": held.hold_id, "request": held.request, "by": "dana"}
    body: JsonObject = {"appr": appr, "decision": "approve", "assurance": "signature", "approver": {"id": "dana"}}
    world.put(Draft("approval", body))
    held.go()


def _no_view(world: World) -> None:
    held = world.hold(BOT, 0)
    appr: JsonObject = {"id": "H-ZZZZZZZZ22", "request": held.request}
    dec: JsonObject = {"effect": "hold", "rule": "exports-need-a-person"}
    expires = utc_text(held.expires_at)
    world.put(
        Draft("hold.opened", world.base(BOT, "export_customers") | {"appr": appr, "dec": dec, "expires": expires})
    )


def _past_the_hold(world: World) -> None:
    held = world.hold(BOT, 0)
    world.call(held.base, {})


def _no_request(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "")
    world.call(held.base, {}, appr={"id": held.hold_id, "use": 1, "by": "dana"})


def _another_tool(world: World) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "")
    held.base = held.base | {"mcp": {"version": "2025-11-25", "transport": "post", "name": "delete_customers"}}
    held.go()


def _closed(world: World, outcome: str) -> None:
    held = world.hold(BOT, 0)
    held.decide("approve", "")
    held.close(outcome)
    held.go()


def _somebody_elses_token(world: World) -> None:
    held = world.hold(BOT, 0)
    statement = held.statement("approve", "", token="ab" * 32)
    envelope = sign_statement(statement, signer_of(world.keys.ledger))
    body: JsonObject = {
        "appr": {"id": held.hold_id, "request": held.request, "by": "dana"}, "decision": "approve", "reason": "",
        "assurance": "token",
        "approver": {"id": "dana", "iss": ISSUER, "sub": "mallory", "groups": ["data-owners"]},
    }  # fmt: skip
    world.put(Draft("approval", body, {"statement": Payload(MEDIA_TYPE, envelope)}))


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
    "no statement at all": (_no_statement, "without a signed statement"),
    "no view at all": (_no_view, "commits to no view"),
    "past the hold": (_past_the_hold, "went out without an approval"),
    "no request named": (_no_request, "for another request"),
    "another tool": (_another_tool, "another call goes out"),
    "after a no": (lambda world: _closed(world, "denied"), "had ended its hold"),
    "after the end of the hold": (lambda world: _closed(world, "expired"), "had ended its hold"),
    "a token of somebody else": (_somebody_elses_token, "token's owner is not the approver"),
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


@pytest.mark.parametrize("back_s", [3, 30])
def test_a_clock_set_back_while_a_call_was_held_makes_nobody_a_forger(
    world: World, tmp_path: Path, back_s: int
) -> None:
    held = world.hold(BOT, 0)
    world.clock.at -= dt.timedelta(seconds=back_s)
    held.decide("approve", "")
    held.go()
    world.ledger.close()
    build(world.folder, tmp_path / "back.zip")
    result = verify(tmp_path / "back.zip", [world.keys.verifier])
    assert result.exit == Exit.VERIFIED, result.headline


@pytest.mark.parametrize(("decided_s", "used_s"), [(0, 303), (903, 0)])
def test_what_was_judged_in_time_and_written_a_moment_later_makes_nobody_a_forger(
    world: World, tmp_path: Path, decided_s: int, used_s: int
) -> None:
    held = world.hold(BOT, 0)
    world.clock.advance(decided_s)
    held.decide("approve", "")
    world.clock.advance(used_s)
    held.go()
    world.ledger.close()
    build(world.folder, tmp_path / "later.zip")
    result = verify(tmp_path / "later.zip", [world.keys.verifier])
    assert result.exit == Exit.VERIFIED, result.headline
