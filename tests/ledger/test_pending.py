import shutil
import sqlite3
from pathlib import Path

import pytest
from tests.ledger.crashing_erase import drive, secrets_of, traces
from tests.ledger.erasures import erase
from tests.ledger.ledgers import FailsAt, call, faulty, heartbeat, open_ledger

from holdfast.errors import LedgerError
from holdfast.ledger import schema
from holdfast.ledger.keeping import pending
from holdfast.ledger.keeping.pending import Emptying, Pending
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.verify import verify


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM payloads",
        "UPDATE payloads SET data = x'01'",
        "UPDATE payloads SET c = 'x'",
        "INSERT INTO payloads VALUES ('x', x'00', '', x'')",
        "SELECT data FROM payloads",
        "PRAGMA secure_delete = OFF",
        "DROP TRIGGER payloads_no_update",
        "VACUUM",
        "ATTACH ':memory:' AS other",
    ],
)
def test_the_connection_that_empties_can_do_nothing_else(folder: Path, statement: str) -> None:
    connection = schema.open_emptying(folder / "payload.db", busy_ms=0)
    with pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited|denied|only ever emptied"):
        connection.execute(statement)
    connection.close()


def test_a_reader_in_the_way_is_waited_for_and_the_copies_go_when_it_is_done(folder: Path, ledger: Ledger) -> None:
    ledger.append_blocking(call("a payload that is in the log"))
    known = secrets_of(folder)
    wanted = list(known)[-1]
    reader = sqlite3.connect(folder / "payload.db", isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM payloads").fetchone()
    erase(ledger, wanted)
    assert (folder / pending.FILE).exists()
    reader.close()
    ledger.append_blocking(heartbeat())
    ledger.publish_blocking()
    assert not (folder / pending.FILE).exists()
    assert traces(folder, [known[wanted]]) == []


def test_a_pending_erasure_whose_record_is_not_there_is_dropped(folder: Path) -> None:
    Emptying(folder).begin(Pending(16, 1))
    open_ledger(folder).close()
    assert not (folder / pending.FILE).exists()
    assert verify(folder).erased == 0


def test_a_pending_erasure_that_somebody_made_up_erases_nothing(folder: Path) -> None:
    (folder / pending.FILE).write_text("0 16\n")
    open_ledger(folder).close()
    assert (verify(folder).payloads, verify(folder).erased) == (12, 0)


@pytest.mark.parametrize("text", ["", "1", "1 1", "-1 1\n", "1 1\n\n", "99999999999999999 1\n", "é 1\n"])
def test_a_pending_file_that_was_changed_stops_the_start(folder: Path, text: str) -> None:
    (folder / pending.FILE).write_text(text, "utf-8")
    with pytest.raises(LedgerError, match=r"erase\.pending is not as the ledger writes it"):
        open_ledger(folder)


@pytest.mark.parametrize("kind", ["kill", "torn", "lose", "error"])
def test_an_erasure_survives_a_fault_at_every_place_where_a_file_changes(
    template: Path, tmp_path: Path, kind: str
) -> None:
    shutil.copytree(template, tmp_path / "template")
    outcomes = drive(tmp_path, kind)
    assert [outcome for outcome in outcomes if outcome["wrong"]] == []
    assert outcomes[-1]["told"][0] == "erased"
    assert len(outcomes) > 10


@pytest.mark.parametrize("verb", ["UPDATE payloads", "PRAGMA wal_checkpoint(TRUNCATE)"])
def test_a_fault_after_the_record_fails_the_ledger_and_the_next_start_finishes(
    template: Path, tmp_path: Path, verb: str
) -> None:
    folder = shutil.copytree(template, tmp_path / "copy")
    fault = FailsAt(verb)
    ledger = open_ledger(folder, connection_class=faulty(fault))
    known = secrets_of(folder)
    wanted = list(known)[3]
    fault.armed = True
    with pytest.raises(LedgerError, match="open it again"):
        erase(ledger, wanted)
    fault.armed = False
    assert not ledger.healthy()
    ledger.close()
    assert verify(folder).unerased + verify(folder).erased == 1
    open_ledger(folder).close()
    assert (verify(folder).unerased, verify(folder).erased) == (0, 1)
    assert traces(folder, [known[wanted]]) == []
