"""Our client with a witness by others, our witness with a client by others, and the rewrite that both must stop."""

import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from tests.foreign.conftest import free_port, wait_for
from tests.ledger.ledgers import call, heartbeat, keys_in, open_ledger
from tests.witness.worlds import Log, make_witness, process

from holdfast.clock import SetClock, SystemClock
from holdfast.errors import LedgerError
from holdfast.ledger import checkpoints
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.verify import verify
from holdfast.witness import cosignature, protocol, store, submit
from holdfast.witness.rules import WitnessRule, WitnessRules
from holdfast.witness.watch import Watch

CLIENT = """
import sys
from aics_witness.feeder import WitnessClient, FeederError
url, vkey, note, old, *proof = sys.argv[1:]
hashes = [bytes.fromhex(item) for item in proof]
with WitnessClient(url, vkey, max_attempts=1) as client:
    try:
        print(client.submit(open(note, "rb").read(), (int(old), hashes)).split()[1])
    except FeederError as error:
        print(type(error).__name__, error)
"""


class Foreign(NamedTuple):
    """A live `aics-witness` of this test's own."""

    rule: WitnessRule
    program: str
    config: Path

    def run(self, *arguments: str) -> str:
        command = [self.program, *arguments, "--config", str(self.config)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


@pytest.fixture
def ledger(data: Path) -> Iterator[Ledger]:
    with contextlib.closing(open_ledger(data, SetClock(SystemClock().now_at()))) as ledger:
        yield ledger


@pytest.fixture
def foreign_witness(foreign_python: Path, ledger: Ledger, data: Path, tmp_path: Path) -> Iterator[Foreign]:
    port, config = free_port(), tmp_path / "witness.json"
    program = str(foreign_python.parent / "aics-witness")
    made = Foreign(
        WitnessRule("foreign", "", cosignature.CosignerKey("w", ledger.keys.verifier.public)), program, config
    )
    vkey = made.run("init", "--name", "witness.example.org/w9", "--listen", f"127.0.0.1:{port}").strip()
    key = keys_in(data).verifier
    made.run("add-log", "--origin", key.name, "--vkey", key.to_text())
    rule = WitnessRule("foreign", f"http://127.0.0.1:{port}", cosignature.parse_vkey(vkey))
    with (tmp_path / "log.txt").open("wb") as log:
        process = subprocess.Popen([program, "serve", "--config", str(config)], stdout=log, stderr=log)
        try:
            wait_for(port)
            yield made._replace(rule=rule)
        finally:
            process.terminate()
            process.wait()


def grow(ledger: Ledger, count: int, text: str = "masked") -> int:
    for number in range(count):
        ledger.append_blocking(call(f"{text} {number}"))
    return ledger.publish_blocking().size


def ask(rule: WitnessRule, data: Path) -> submit.Vouched:
    with store.open_outside(data, read_only=False) as outside:
        return submit.submit(rule, data, outside, SystemClock())


def test_a_foreign_witness_vouches_for_our_ledger_as_it_grows(
    foreign_witness: Foreign, ledger: Ledger, data: Path
) -> None:
    for count in (2, 300, 0, 1):
        size = grow(ledger, count)
        assert ask(foreign_witness.rule, data).size == size
    (data / store.FILE).unlink()  # a client that has forgotten asks from 0, is told 409, and goes on from there
    size = grow(ledger, 3)
    assert ask(foreign_witness.rule, data).size == size
    assert f'"size": {size}' in foreign_witness.run("status", "--json")


def test_a_foreign_witness_refuses_the_rewrite_that_the_ledger_s_own_key_signed_and_keeps_it(
    foreign_witness: Foreign, ledger: Ledger, data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Whoever owns machine and key: the ledger up to some Record from a copy, everything after it told anew.
    grow(ledger, 4)
    ledger.close()
    shutil.copytree(data, tmp_path / "rewritten")
    with contextlib.closing(open_ledger(data)) as honest:
        size = grow(honest, 8)
    assert ask(foreign_witness.rule, data).size == size
    shutil.copy(data / store.FILE, tmp_path / "rewritten")
    clock = SetClock(SystemClock().now_at())
    with contextlib.closing(open_ledger(tmp_path / "rewritten", clock)) as rewritten:
        assert grow(rewritten, 8, "told anew") == size
        verify(tmp_path / "rewritten", None, [])  # with the key at hand, nothing inside the folder is wrong
        watch = Watch(
            rewritten,
            tmp_path / "rewritten",
            lambda: WitnessRules((foreign_witness.rule,), quorum=1, refuse_after_s=86400),
            clock,
        )
        rewritten.refuse_calls = watch.refusal
        watch.round()
        with pytest.raises(LedgerError, match="saw another history"):
            rewritten.append_blocking(call())
        rewritten.append_blocking(heartbeat())
        watch._outside.close()
    assert "CONFLICT" in caplog.text
    evidence = foreign_witness.run("evidence")
    assert f"\\n{size}\\n" in evidence  # the signed checkpoint of the rewrite, in the witness's hands
    assert f'"size": {size}' in foreign_witness.run("status", "--json")
    # And the cosignature that the honest ledger got convicts the rewrite without asking anybody.
    with store.open_outside(data) as outside:
        (line,) = outside.cosignatures(size)
    notes = checkpoints.read_notes(tmp_path / "rewritten" / checkpoints.FILE)
    text = next(note for note in notes if int(note.split(b"\n")[1]) == size)
    policy = WitnessRules((foreign_witness.rule,), quorum=1).policy(keys_in(data).verifier)
    with pytest.raises(LedgerError, match="does not hold"):
        policy.cosigners(protocol.with_signatures(text, [line]))


def test_a_ledger_that_was_cut_back_to_an_older_checkpoint_is_found_by_a_foreign_witness(
    foreign_witness: Foreign, ledger: Ledger, data: Path, tmp_path: Path
) -> None:
    grow(ledger, 4)
    ledger.close()
    shutil.copytree(data, tmp_path / "older")
    with contextlib.closing(open_ledger(data)) as longer:
        grow(longer, 4)
    ask(foreign_witness.rule, data)
    with contextlib.closing(open_ledger(tmp_path / "older")):
        pass
    with pytest.raises(submit.NotVouchedError, match="it saw another history") as error:
        ask(foreign_witness.rule, tmp_path / "older")
    assert error.value.cause == "conflict"


def test_a_foreign_client_gets_cosignatures_from_our_witness_and_no_fork(foreign_python: Path, tmp_path: Path) -> None:
    log, fork = Log().grown(9), Log().grown(3).grown(9, "rewritten")
    make_witness(tmp_path / "w", SystemClock(), log)

    def submitted(old: int, size: int, of: Log = log) -> str:
        (tmp_path / "note").write_bytes(of.checkpoint(size))
        proof = [item.hex() for item in of.proof(old, size)]
        command = [str(foreign_python), "-I", "-c", CLIENT, served.url, served.key.to_text(), str(tmp_path / "note")]
        done = subprocess.run([*command, str(old), *proof], capture_output=True, text=True, check=True)
        return done.stdout

    with process(tmp_path / "w") as (_, served):
        assert submitted(0, 4).strip() == served.key.name
        assert submitted(4, 9).strip() == served.key.name
        assert submitted(9, 9).strip() == served.key.name
        assert "422" in submitted(9, 9, fork)
        assert submitted(0, 5).startswith("WitnessAhead")
    with contextlib.closing(sqlite3.connect(tmp_path / "w" / "state.db")) as database:
        assert database.execute("SELECT count(*) FROM evidence WHERE kind = 'fork'").fetchone() == (1,)
