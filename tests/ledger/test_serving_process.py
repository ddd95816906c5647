"""`ledger.py serve` as a process: what it leaves to the operating system's defaults shows nowhere else."""

import socket
import subprocess
import sys
from pathlib import Path

from tests.ledger.served import Peer

from holdfast.ledger.remote import wire

SCRIPT = Path(__file__).parents[2] / "scripts" / "ledger.py"


def test_whoever_will_not_hear_the_answer_does_not_end_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "l.sock"
    command = [sys.executable, str(SCRIPT), "--data", str(tmp_path / "data"), "serve", "--socket", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as writer:
        assert writer.stderr is not None
        try:
            while b"is served at" not in (line := writer.stderr.readline()):
                assert line, "the writer ended before it served"
            with socket.socket(socket.AF_UNIX) as deaf, socket.socket(socket.AF_UNIX) as other:
                deaf.connect(str(path))
                # The answer meets a broken pipe, whose signal ends a process that leaves it as it is.
                deaf.shutdown(socket.SHUT_RD)
                deaf.sendall(wire.encode({"id": 1, "verb": "publish"}))
                other.settimeout(10)
                other.connect(str(path))
                assert "ok" in Peer(other).ask({"verb": "hello", "version": wire.VERSION})
                assert "ok" in Peer(other).ask({"verb": "publish"})
        finally:
            writer.terminate()
    assert writer.returncode == 0
