import json
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.erasures import NEVER, erase, payloads_of, records
from tests.ledger.ledgers import open_ledger, tamper, without_triggers

from holdfast.errors import LedgerError
from holdfast.ledger import spelling
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.verify import verify


def remove(folder: Path, commitment: str) -> None:
    with without_triggers(folder / "payload.db") as connection:
        connection.execute("DELETE FROM payloads WHERE c = ?", (commitment,))


def empty(folder: Path, commitment: str) -> None:
    with without_triggers(folder / "payload.db") as connection:
        connection.execute("UPDATE payloads SET key = zeroblob(32), ct = '', data = x'' WHERE c = ?", (commitment,))


@pytest.mark.parametrize("how", [remove, empty])
def test_a_payload_that_went_without_a_record_is_found(folder: Path, ledger: Ledger, how: Any) -> None:
    first, second = payloads_of(folder)[:2]
    erase(ledger, first)
    ledger.close()
    how(folder, second)
    with pytest.raises(LedgerError, match=r"^record 2: the payload of req is missing .* no signed Record says"):
        verify(folder)


def forged(folder: Path, index: int, erased: list[str]) -> str:
    """An INSERT of a Record that no writer wrote and no key signed."""
    last = records(folder)[index - 1]
    body = {name: last[name] for name in ("v", "log", "ts", "mono", "boot", "salt", "id")}
    body |= {"n": index, "typ": "payload.erased", "erased": erased, "basis": "request", "reason": "forged"}
    entry = json.dumps(body, sort_keys=True, separators=(",", ":")).encode().hex()
    return f"INSERT INTO entries VALUES ({index}, x'{entry}', leaf_hash(x'{entry}'))"


def test_a_record_that_no_key_signed_excuses_no_missing_payload(folder: Path) -> None:
    commitment = payloads_of(folder)[1]
    remove(folder, commitment)
    tamper(folder, forged(folder, 16, [commitment]))
    with pytest.raises(LedgerError, match="record 2: the payload of req is missing"):
        verify(folder)


def test_a_record_that_says_what_never_was_is_erased_is_found(folder: Path) -> None:
    tamper(folder, forged(folder, 16, [NEVER]))
    with pytest.raises(LedgerError, match=r"^record 16: says that a payload was erased to which no Record before it"):
        verify(folder)


def test_a_payload_that_came_back_with_a_backup_is_counted_and_can_be_erased_again(folder: Path) -> None:
    backup = (folder / "payload.db").read_bytes()
    ledger = open_ledger(folder)
    wanted = payloads_of(folder)[4]
    erase(ledger, wanted)
    ledger.close()
    (folder / "payload.db").write_bytes(backup)
    verified = verify(folder)
    assert (verified.erased, verified.unerased, verified.payloads) == (0, 1, 12)
    ledger = open_ledger(folder)
    erase(ledger, wanted)
    ledger.close()
    verified = verify(folder)
    assert (verified.erased, verified.unerased, verified.payloads) == (1, 0, 11)


def test_a_payload_erased_while_verify_runs_is_no_fault(
    folder: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = payloads_of(folder)[2]
    read, called = spelling.read, iter(range(100))

    def read_and_erase(entry: bytes) -> spelling.Spelled | None:
        if next(called) == 1:  # the verifier has counted the Records and begun
            erase(ledger, wanted)
        return read(entry)

    monkeypatch.setattr(spelling, "read", read_and_erase)
    verified = verify(folder)
    assert (verified.size, verified.erased, verified.signed_size) == (17, 1, 17)


def test_the_first_wrong_thing_is_named_though_payloads_are_read_in_batches(folder: Path) -> None:
    with without_triggers(folder / "payload.db") as connection:
        connection.execute("UPDATE payloads SET data = x'00' WHERE c = ?", (payloads_of(folder)[1],))
    tamper(folder, "UPDATE entries SET leaf = zeroblob(32) WHERE seq = 8")
    with pytest.raises(LedgerError, match="record 2: the payload of req is not the one it commits to"):
        verify(folder)
    tamper(folder, "UPDATE entries SET leaf = zeroblob(32) WHERE seq = 1")
    with pytest.raises(LedgerError, match="record 1: leaf hash does not match"):
        verify(folder)
