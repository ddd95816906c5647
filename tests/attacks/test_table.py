"""What a rewritten ledger gives away, and to whom: every attack, with and without the ledger's key.

The columns are what the verifier holds. Without the key, the public key alone finds everything but a return to an older
state that was once signed. With the key, nothing that the forger wrote itself gives it away: only a checkpoint that
somebody outside kept does, for what lies before it. The rows that say ``False`` are the reason why there are witnesses.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.attacks import forger
from tests.attacks.forger import SIZE, Records, rewrite
from tests.ledger import ledgers

from holdfast.errors import LedgerError
from holdfast.ledger.keys import Keys
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import verify

HELD = 40  # the older of the two checkpoints that somebody outside may have kept

type Attack = Callable[[Records, int], Records]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of 64 Records with a checkpoint after every eighth."""
    data = tmp_path_factory.mktemp("whole") / "data"
    data.mkdir()
    ledger = ledgers.open_ledger(data)
    for index in range(1, SIZE):
        ledger.append_blocking(ledgers.used_call(f"hold-{index}") if index % 10 == 0 else ledgers.call(f"text {index}"))
        if (index + 1) % forger.EVERY == 0:
            ledger.publish_blocking()
    ledger.close()
    return data


def checkpoint(data: Path, size: int) -> bytes:
    with open_reader(data) as reader:
        return next(one for one in reader.checkpoints() if one.decode().split("\n")[1] == str(size))


def is_found(data: Path, keys: Keys, *known: bytes) -> bool:
    try:
        verify(data, keys.verifier.to_text(), known)
    except LedgerError:
        return True
    return False


BEFORE, AFTER = 21, 51
EDITS: list[tuple[str, Attack]] = [
    ("modify", forger.modified),
    ("delete", forger.deleted),
    ("insert", forger.inserted),
    ("reorder", forger.reordered),
    ("truncate", forger.truncated),
]


@pytest.mark.parametrize("at", [BEFORE, AFTER], ids=["before", "after"])
@pytest.mark.parametrize(("name", "attack"), EDITS, ids=[name for name, _ in EDITS])
def test_without_the_key_every_edit_is_found_by_the_public_key_alone(
    whole: Path, tmp_path: Path, name: str, attack: Attack, at: int
) -> None:
    keys = ledgers.keys_in(whole)
    forged = rewrite(whole, tmp_path / name, attack(forger.records_of(whole), at), None)
    assert is_found(forged, keys)


@pytest.mark.parametrize(
    ("at", "with_older", "with_newest"), [(BEFORE, True, True), (AFTER, False, True)], ids=["before", "after"]
)
@pytest.mark.parametrize(("name", "attack"), EDITS, ids=[name for name, _ in EDITS])
def test_with_the_key_an_edit_is_found_by_whoever_holds_a_checkpoint_after_it(
    *, whole: Path, tmp_path: Path, name: str, attack: Attack, at: int, with_older: bool, with_newest: bool
) -> None:
    keys = ledgers.keys_in(whole)
    forged = rewrite(whole, tmp_path / name, attack(forger.records_of(whole), at), keys)
    found = (
        is_found(forged, keys),
        is_found(forged, keys, checkpoint(whole, HELD)),
        is_found(forged, keys, checkpoint(whole, SIZE)),
    )
    assert found == (False, with_older, with_newest)


@pytest.mark.parametrize(("size", "with_older"), [(24, True), (HELD, False), (56, False)])
def test_a_return_to_an_older_signed_state_is_found_by_whoever_holds_a_later_checkpoint(
    *, whole: Path, tmp_path: Path, size: int, with_older: bool
) -> None:
    """No key is needed for it: a backup of the folder is enough."""
    keys = ledgers.keys_in(whole)
    older = rewrite(whole, tmp_path / "older", forger.records_of(whole)[:size], None)
    kept = (older / "checkpoints.log").read_bytes().partition(checkpoint(whole, size + forger.EVERY))[0]
    (older / "checkpoints.log").write_bytes(kept)
    with ledgers.without_triggers(older / "ledger.db") as connection:
        connection.execute("DELETE FROM checkpoints WHERE size > ?", (size,))
    found = (
        is_found(older, keys),
        is_found(older, keys, checkpoint(whole, HELD)),
        is_found(older, keys, checkpoint(whole, SIZE)),
    )
    assert found == (False, with_older, True)


def test_two_histories_of_one_size_are_found_by_whoever_sees_both_heads(whole: Path, tmp_path: Path) -> None:
    """A split view: each auditor alone is satisfied, with what the log itself shows them."""
    keys = ledgers.keys_in(whole)
    other = rewrite(whole, tmp_path / "other", forger.modified(forger.records_of(whole), AFTER), keys)
    assert not is_found(whole, keys)
    assert not is_found(other, keys)
    assert is_found(whole, keys, checkpoint(other, SIZE))
    assert is_found(other, keys, checkpoint(whole, SIZE))


def test_the_forger_that_changes_nothing_is_not_found(whole: Path, tmp_path: Path) -> None:
    """So the tests above find the edit and not the forger's clumsiness."""
    keys = ledgers.keys_in(whole)
    for number, forging in enumerate((None, keys)):
        same = rewrite(whole, tmp_path / str(number), forger.records_of(whole), forging)
        assert not is_found(same, keys, checkpoint(whole, HELD), checkpoint(whole, SIZE))
    shutil.rmtree(tmp_path / "0")
