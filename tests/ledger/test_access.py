import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from tests.ledger.ledgers import call, heartbeat, open_ledger
from tests.ledger.served import Served

from holdfast.clock import SystemClock
from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.ledger.remote.access import SOCKET_FILE, Writable, open_for_command
from holdfast.ledger.remote.remote import RemoteLedger
from holdfast.ledger.remote.verbs import Role
from holdfast.ledger.verify import verify

ROOT = Path(__file__).resolve().parents[2]
EXPORTED = Draft("evidence.exported", {"export": {"digest": "0" * 64, "first": 0, "size": 1}})
HOLDS = """
import sys, time
from pathlib import Path
from tests.ledger.ledgers import open_ledger
ledger = open_ledger(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.read()
"""


def commitment_in(data: Path, index: int) -> str:
    with open_reader(data) as reader:
        text = reader.record(index).decode()
    return text[text.index("hmac-sha256:") :][:76]


def test_either_kind_is_a_ledger_that_takes_records(tmp_path: Path) -> None:
    ledger: Writable = open_ledger(tmp_path)
    remote: type[Writable] = RemoteLedger
    for name in (name for name in vars(Writable) if not name.startswith("_")):
        assert hasattr(ledger, name), name
        assert name == "previous" or callable(getattr(remote, name)), name
    ledger.close()


def test_a_command_opens_the_ledger_itself_where_nobody_has_it_open(tmp_path: Path) -> None:
    open_ledger(tmp_path).close()
    with open_for_command(tmp_path, SystemClock()) as ledger:
        assert isinstance(ledger, Ledger)
        ledger.append_blocking(EXPORTED)
    assert verify(tmp_path, None, []).size == 2


def test_a_command_asks_the_process_that_has_the_ledger_open(tmp_path: Path) -> None:
    with (
        Served(tmp_path, tmp_path / SOCKET_FILE, lambda _uid: Role.OPERATOR),
        open_for_command(tmp_path, SystemClock()) as ledger,
    ):
        assert isinstance(ledger, RemoteLedger)
        (receipt,) = ledger.append_blocking(EXPORTED)
    with open_reader(tmp_path) as reader:
        assert b"evidence.exported" in reader.record(receipt.index)


def test_a_payload_is_erased_while_another_process_has_the_ledger_open(tmp_path: Path) -> None:
    with Served(tmp_path, tmp_path / SOCKET_FILE, lambda _uid: Role.OPERATOR) as served:
        (kept,) = served.ledger.append_blocking(call("forget me"))
        commitment = commitment_in(tmp_path, kept.index)
        with open_for_command(tmp_path, SystemClock()) as ledger:
            forged: JsonObject = {"uid": 4711, "name": "somebody else"}
            (receipt,) = ledger.erase_blocking([commitment], basis="request", reason="asked", operator=forged)
            with pytest.raises(LedgerError):
                ledger.erase_blocking([commitment], basis="request", reason="twice", operator=None)
        asyncio.run(served.ledger.append(heartbeat()))
    with open_reader(tmp_path) as reader:
        assert reader.payload(commitment) is None
        assert b"4711" not in reader.record(receipt.index)
    assert verify(tmp_path, None, []).erased == 1


def test_a_socket_that_nobody_serves_any_more_is_no_hindrance(tmp_path: Path) -> None:
    with Served(tmp_path, tmp_path / SOCKET_FILE) as served:
        served.path.rename(tmp_path / "kept")
    (tmp_path / "kept").rename(tmp_path / SOCKET_FILE)
    with open_for_command(tmp_path, SystemClock()) as ledger:
        assert isinstance(ledger, Ledger)


def test_who_holds_the_ledger_is_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDS, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with (
            pytest.raises(LedgerError, match=f"process {holder.pid} has it"),
            open_for_command(tmp_path, SystemClock()),
        ):
            pass
        holder.kill()


def test_a_folder_without_a_ledger_is_refused_and_stays_empty(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="there is no ledger in"), open_for_command(tmp_path, SystemClock()):
        pass
    assert list(tmp_path.iterdir()) == []
