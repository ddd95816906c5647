import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ledger.ledgers import call, fill, keys_in, open_ledger, tamper, used_call, without_triggers

from holdfast.errors import LedgerError
from holdfast.ledger import note, tree
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import Unverifiable, verify


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole")
    fill(directory, 12)
    return directory


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "copy")


def test_a_whole_ledger_verifies_and_says_what_is_in_it(whole: Path) -> None:
    verified = verify(whole)
    assert (verified.size, verified.signed_size, verified.unsigned) == (12, 12, 0)
    assert (verified.payloads, verified.objects, verified.starts, verified.checkpoints) == (9, 1, 1, 4)


REHASH = "UPDATE entries SET leaf = leaf_hash(entry)"
EDIT = "UPDATE entries SET entry = CAST(replace(CAST(entry AS TEXT), '\"allow\"', '\"deny\"') AS BLOB) WHERE seq = 3"
SWAP = [
    "UPDATE entries SET seq = 1000 WHERE seq = 3",
    "UPDATE entries SET seq = 3 WHERE seq = 4",
    "UPDATE entries SET seq = 4 WHERE seq = 1000",
]
ATTACKS = {
    "edit": ([EDIT], "record 3: leaf hash does not match"),
    "edit and hash again": ([EDIT, REHASH], "the checkpoint of size 5 is not that of the Records"),
    "change a leaf": (["UPDATE entries SET leaf = zeroblob(32) WHERE seq = 8"], "record 8: leaf hash does not match"),
    "delete": (["DELETE FROM entries WHERE seq = 3"], "record 3 is missing"),
    "delete the first": (["DELETE FROM entries WHERE seq = 0"], "record 0 is missing"),
    "delete and close the gap": (
        ["DELETE FROM entries WHERE seq = 11", "UPDATE entries SET seq = 11 WHERE seq = 10"],
        "record 10 is missing",
    ),
    "reorder": (SWAP, "record 3: says another index; Records were moved"),
    "truncate": (["DELETE FROM entries WHERE seq >= 6"], "holds 6 Records, but a checkpoint was signed for 12"),
    "append without a writer": (
        ["INSERT INTO entries SELECT 12, entry, leaf FROM entries WHERE seq = 11"],
        "record 12: says another index",
    ),
    "write another spelling": (
        ["UPDATE entries SET entry = CAST(entry || ' ' AS BLOB) WHERE seq = 3", REHASH],
        "record 3: is not canonical JSON",
    ),
    "store text": (
        ["PRAGMA writable_schema = OFF", "UPDATE entries SET entry = x'00' WHERE seq = 3"],
        "record 3: leaf",
    ),
    "forget a use": (["DELETE FROM approvals_used WHERE seq = 5"], "record 5: approvals_used does not list its use"),
    "invent a use": (
        ["INSERT INTO approvals_used VALUES ('hold-99', 0, 4)"],
        "record 4: approvals_used lists a use that it does not make",
    ),
    "change an object": (["UPDATE objects SET bytes = x'00'"], "object 0 of ledger.db does not match its digest"),
    "change a checkpoint": (
        ["UPDATE checkpoints SET note = replace(note, 'ledger', 'Ledger') WHERE size = 5"],
        "checkpoint 1 of ledger.db is not that of checkpoints.log",
    ),
    "delete checkpoints": (["DELETE FROM checkpoints"], "ledger.db lacks checkpoints that checkpoints.log has"),
    "invent a checkpoint": (
        ["INSERT INTO checkpoints SELECT 20, note, signed_at FROM checkpoints WHERE size = 12"],
        "ledger.db has 5 checkpoints, but checkpoints.log has 4",
    ),
    "invent a tile": (["INSERT INTO tiles VALUES (1, 0, zeroblob(8192))"], "tile 1/0 covers Records"),
}


@pytest.mark.parametrize(("statements", "message"), ATTACKS.values(), ids=ATTACKS)
def test_an_attack_on_the_database_is_found_and_named(copy: Path, statements: list[str], message: str) -> None:
    tamper(copy, *statements)
    with pytest.raises(LedgerError, match=message) as caught:
        verify(copy)
    assert not isinstance(caught.value, Unverifiable)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP TRIGGER entries_no_update", "trigger entries_no_update is missing"),
        ("CREATE TABLE notes (text)", "table notes is foreign"),
        ("CREATE TRIGGER late AFTER INSERT ON entries BEGIN SELECT 1; END", "trigger late is foreign"),
        ("PRAGMA user_version = 2", "not a Holdfast database of version 1"),
        ("PRAGMA application_id = 2", "not a Holdfast database of version 1"),
    ],
)
def test_a_changed_schema_is_found_by_verify_and_at_start(copy: Path, statement: str, message: str) -> None:
    connection = sqlite3.connect(copy / "ledger.db", isolation_level=None)
    connection.execute(statement)
    connection.close()
    with pytest.raises(LedgerError, match=message):
        verify(copy)
    with pytest.raises(LedgerError, match=message):
        open_ledger(copy)


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE payloads SET data = x'00'", "record 1: the payload of req is not the one it commits to"),
        ("UPDATE payloads SET key = zeroblob(32)", "record 1: the payload of req is not the one it commits to"),
        ("UPDATE payloads SET ct = 'text/plain'", "record 1: the payload of req is not the one it commits to"),
        ("DELETE FROM payloads", "record 1: the payload of req is missing from payload.db"),
    ],
)
def test_an_attack_on_a_payload_is_found_and_named(copy: Path, statement: str, message: str) -> None:
    with without_triggers(copy / "payload.db") as connection:
        connection.execute(statement)
    with pytest.raises(LedgerError, match=message):
        verify(copy)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.integers(0, 11),
    st.sampled_from(["entry", "leaf"]),
    st.integers(0, 10**6),
    st.integers(1, 255),
    st.sampled_from(["as it was", "made anew"]),
)
def test_any_changed_byte_of_an_entry_or_leaf_is_found(
    whole: Path, tmp_path: Path, index: int, column: str, place: int, mask: int, leaf: str
) -> None:
    directory = shutil.copytree(whole, tmp_path / "copy", dirs_exist_ok=True)
    with without_triggers(directory / "ledger.db") as connection:
        query = f"SELECT {column} FROM entries WHERE seq = ?"
        data = bytearray(connection.execute(query, (index,)).fetchone()[0])
        data[place % len(data)] ^= mask
        connection.execute(f"UPDATE entries SET {column} = ? WHERE seq = ?", (bytes(data), index))
        if leaf == "made anew" and column == "entry":
            connection.execute("UPDATE entries SET leaf = ? WHERE seq = ?", (tree.leaf_hash(bytes(data)), index))
    with pytest.raises(LedgerError):
        verify(directory)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_any_changed_byte_of_checkpoints_log_is_found(whole: Path, tmp_path: Path, place: int, mask: int) -> None:
    directory = shutil.copytree(whole, tmp_path / "copy", dirs_exist_ok=True)
    data = bytearray((directory / "checkpoints.log").read_bytes())
    data[place % len(data)] ^= mask
    (directory / "checkpoints.log").write_bytes(data)
    with pytest.raises(LedgerError):
        verify(directory)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_in_the_file_itself_is_found_or_is_in_no_record(
    whole: Path, tmp_path: Path, place: int, mask: int
) -> None:
    directory = shutil.copytree(whole, tmp_path / "copy", dirs_exist_ok=True)
    with open_reader(whole) as reader:
        before = list(reader.records())
    data = bytearray((directory / "ledger.db").read_bytes())
    data[place % len(data)] ^= mask
    (directory / "ledger.db").write_bytes(data)
    try:
        verify(directory)
    except LedgerError:
        return
    with open_reader(directory) as reader:
        assert list(reader.records()) == before


def edit_log(directory: Path, change: Callable[[bytes], bytes]) -> None:
    path = directory / "checkpoints.log"
    path.write_bytes(change(path.read_bytes()))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: b"", "holds no checkpoint|ledger.db has 4 checkpoints"),
        (lambda data: data[: len(data) // 2], "checkpoint|ends in bytes"),
        (lambda data: data[:-1], "ledger.db has 4 checkpoints"),
        (lambda data: data + b"garbage", "ends in bytes that are no checkpoint"),
        (lambda data: data + data, "checkpoint 4 of checkpoints.log is not larger"),
        (lambda data: b"\n\n".join(reversed(data.split(b"\n\n"))), "checkpoint|ends in bytes"),
    ],
)
def test_an_attack_on_checkpoints_log_is_found_and_stops_the_start(
    copy: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    edit_log(copy, change)
    with pytest.raises(LedgerError, match=message):
        verify(copy)


def test_a_ledger_rebuilt_by_someone_without_the_key_is_found(copy: Path, tmp_path: Path) -> None:
    fill(tmp_path / "other", 12)
    for name in ("ledger.db", "payload.db", "checkpoints.log"):
        shutil.copy(tmp_path / "other" / name, copy / name)
    with pytest.raises(LedgerError, match="no known key has signed"):
        verify(copy)


def test_a_ledger_rebuilt_with_its_own_key_is_found_by_who_holds_a_checkpoint(whole: Path, tmp_path: Path) -> None:
    directory = tmp_path / "rebuilt"
    directory.mkdir()
    shutil.copytree(whole / "keys", directory / "keys")
    fill(directory, 14)
    verify(directory)
    with open_reader(whole) as reader:
        kept = reader.last_checkpoint() or b""
    with pytest.raises(LedgerError, match="the checkpoint of size 12 is not that of the Records"):
        verify(directory, known=[kept])


def test_a_ledger_rolled_back_to_an_older_state_is_found_by_who_holds_a_later_checkpoint(
    copy: Path, tmp_path: Path
) -> None:
    later = shutil.copytree(copy, tmp_path / "later")
    ledger = open_ledger(later)
    ledger.append_blocking(call())
    kept = ledger.publish_blocking().note.encode()
    ledger.close()
    verify(copy)
    with pytest.raises(LedgerError, match="holds 12 Records, but a checkpoint was signed for 13"):
        verify(copy, known=[kept])


def test_another_public_key_verifies_nothing(whole: Path, tmp_path: Path) -> None:
    other = keys_in(tmp_path / "other").verifier.to_text()
    with pytest.raises(LedgerError, match="no known key has signed"):
        verify(whole, vkey=other)
    assert verify(whole, vkey=keys_in(whole).verifier.to_text() + "\n").size == 12


@pytest.mark.parametrize("name", ["ledger.db", "payload.db", "keys/ledger.vkey"])
def test_a_missing_file_is_not_a_finding_but_no_verification(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(Unverifiable, match=name):
        verify(copy)


def test_a_file_that_is_no_database_does_not_verify(copy: Path) -> None:
    (copy / "ledger.db").write_bytes(b"not a database" * 1000)
    with pytest.raises(LedgerError):
        verify(copy)


def test_a_ledger_is_verified_while_the_gateway_writes(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.append_blocking(call(), used_call())
    verified = verify(tmp_path)
    assert (verified.size, verified.unsigned) in {(3, 3), (3, 2), (3, 0)}
    ledger.close()


def test_verifying_changes_no_file(copy: Path) -> None:
    before = {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()}
    verify(copy)
    after = {path.name: path.read_bytes() for path in copy.iterdir() if path.is_file()}
    assert {name: after[name] for name in before} == before


def test_proofs_come_from_the_stored_tree(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for use_no in range(5):
        ledger.append_blocking(*[used_call(str(number), use_no) for number in range(120)])
    ledger.close()
    with open_reader(tmp_path) as reader:
        size = reader.size()
        assert size == 601
        root = reader.frontier(size).root()
        assert root == note.parse_checkpoint(note.parse_note(reader.last_checkpoint() or b"").text).root
        leaves = reader.leaves(0, size)
        for index in (0, 255, 256, 600):
            tree.verify_inclusion(leaves[index], index, size, reader.inclusion(index, size), root)
        for old in (1, 256, 300, 601):
            old_root = reader.frontier(old).root()
            tree.verify_consistency(old, size, old_root, root, reader.consistency(old, size))
        tree.verify_range(reader.frontier(300), leaves[300:], reader.frontier(300).root(), (size, root))
        with pytest.raises(LedgerError, match="no record 601"):
            reader.record(601)
