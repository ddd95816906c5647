import asyncio
from pathlib import Path

import pytest
from tests.ledger.ledgers import (
    bare_call,
    call_body,
    heartbeat,
    open_ledger,
)

from holdfast.errors import LedgerError
from holdfast.ledger.draft import Draft, Payload, Use


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        (Draft("nonsense", {}), "unknown typ"),
        (Draft("call", {}), "call.call is missing"),
        (bare_call(color="red"), "member 5 is unknown"),
        (bare_call(dec={"effect": "maybe"}), "call.dec.effect: expected one of `allow`"),
        (bare_call(ref=[1.5]), r"call.ref\[0\]: expected integer"),
        (bare_call(ref=[True]), r"call.ref\[0\]: expected integer"),
        (bare_call(ref=[99]), "not before this one"),
        (bare_call(sid="secret-session-id"), "call.sid: expected SHA-256"),
        (bare_call(req={"c": "x"}), "no payload"),
        (Draft("call", call_body(), {"extra": Payload("a/b", b"")}), "a payload is one of"),
        (Draft("call", call_body(req={"c": "x"}), {"req": Payload("a/b", b"")}), "the writer's to fill in"),
        (Draft("call", call_body(), {"req": Payload("a\nb", b"")}), "content type"),
        (Draft("call", call_body(), use=Use("hold-1", 0)), "exactly that Use"),
        (bare_call(appr={"id": "hold-1", "use": 0}), "exactly that Use"),
        (bare_call(dst={"server": "\ud800"}), "UTF-8"),
        (bare_call(dst={"server": "x" * 3000}), "at most 2048"),
    ],
)
async def test_an_unacceptable_draft_is_refused_by_name_and_harms_no_other(
    tmp_path: Path, draft: Draft, message: str
) -> None:
    ledger = open_ledger(tmp_path)
    good = asyncio.ensure_future(ledger.append(heartbeat()))
    with pytest.raises(LedgerError, match=message) as bad:
        await ledger.append(draft)
    assert "secret" not in str(bad.value)
    assert (await good)[0].index == 1
    assert ledger.healthy()
    ledger.close()


async def test_an_append_of_nothing_or_of_too_much_is_refused(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for drafts in ((), (heartbeat(),) * 129):
        with pytest.raises(LedgerError, match="1 to 128"):
            await ledger.append(*drafts)
    ledger.close()
