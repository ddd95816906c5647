"""An erasure, once for every change it makes to a file, with a fault at that change.

    crashing_erase.py SHIM FOLDER KIND

Started with the shim of tests/faults preloaded, like crashing.py beside it. For each place a child erases two payloads
of a copy of FOLDER/template, and the fault ends it, or a call to the disk fails. Then this process opens the ledger
again and says what is wrong. One line of JSON for each place; in the last of them the erasure came to its end.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.ledger.crashing import KINDS, SHIM, opened

from holdfast.errors import HoldfastError
from holdfast.ledger.draft import Draft
from holdfast.ledger.keeping import pending
from holdfast.ledger.keeping.erasing import commitments_of
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import verify

ERASED_COUNT = 2


def drive(folder: Path, kind: str) -> list[dict[str, Any]]:
    """What came of the erasure at every place; ``folder`` holds the template."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler")
    library = folder / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, __file__, library, folder, kind],
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def secrets_of(data: Path) -> dict[str, tuple[bytes, bytes]]:
    """Commitment -> key and payload, of every payload."""
    with open_reader(data) as reader:
        listed = [commitment for _, entry in reader.records() for _, commitment in commitments_of(entry)]
        found = {commitment: reader.payload(commitment) for commitment in listed}
    return {commitment: row[1:] for commitment, row in found.items() if row is not None}


def traces(data: Path, secrets: list[tuple[bytes, bytes]]) -> list[str]:
    """The files below ``data`` in which a byte string of ``secrets`` stands."""
    files = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}
    return [path.name for path, raw in files.items() if any(part in raw for pair in secrets for part in pair)]


def child(shim: ctypes.CDLL, data: Path, out: int, plan: tuple[int, int], wanted: list[str]) -> None:
    code = 0
    try:
        ledger = opened(data)
        try:
            shim.fault_arm(str(data).encode(), plan[0], ctypes.c_long(plan[1]), ctypes.c_ulong(plan[1]))
            ledger.erase_blocking(wanted, basis="request", reason="asked for", operator=None)
            os.write(out, b"erased\n")
        finally:
            ledger.close()
    except (HoldfastError, OSError):
        code = 3
    except BaseException as error:  # noqa: BLE001 -- the parent is told, whatever it is
        os.write(out, f"error {type(error).__name__} {error}\n".encode())
    os.write(out, f"changes {shim.fault_count()}\n".encode())
    os._exit(code)


def check(data: Path, known: dict[str, tuple[bytes, bytes]], wanted: list[str], told: list[str]) -> str:
    ledger = opened(data)
    ledger.append_blocking(Draft("ledger.heartbeat", {"counters": {}}))
    ledger.close()
    verified = verify(data)
    if (data / pending.FILE).exists():
        return "the erasure is pending for ever"
    if "erased" in told and not verified.erased:
        return "an erasure that was told is not there"
    if verified.unerased or verified.erased not in (0, ERASED_COUNT):
        return "the erasure is half done"
    left = secrets_of(data)
    gone = {} if not verified.erased else {commitment: known[commitment] for commitment in wanted}
    if left != {commitment: known[commitment] for commitment in known if commitment not in gone}:
        return "other payloads than those that were named are gone, or changed"
    found = traces(data, list(gone.values()))
    return f"traces in {found}" if found else ""


def one(shim: ctypes.CDLL, folder: Path, plan: tuple[int, int]) -> dict[str, Any]:
    data, template = folder / f"at-{plan[1]}", folder / "template"
    shutil.copytree(template, data)
    known = secrets_of(template)
    wanted = list(known)[1 : 1 + ERASED_COUNT]
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        child(shim, data, writing, plan, wanted)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        told = file.read().decode().splitlines()
    _, status = os.waitpid(pid, 0)
    ended = "killed" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else os.WEXITSTATUS(status)
    changes = max((int(line.split()[1]) for line in told if line.startswith("changes ")), default=0)
    wrong = "".join(line for line in told if line.startswith("error "))
    try:
        wrong = wrong or check(data, known, wanted, told)
    except HoldfastError as error:
        wrong = f"does not go on: {error}"
    shutil.rmtree(data)
    return {"at": plan[1], "ended": ended, "changes": changes, "told": told, "wrong": wrong}


def main(shim_path: str, folder: str, kind: str) -> None:
    shim = ctypes.CDLL(shim_path)
    place = 1
    while True:
        outcome = one(shim, Path(folder), (KINDS[kind], place))
        print(json.dumps(outcome), flush=True)
        if outcome["ended"] != "killed" and outcome["changes"] < place:
            return
        place += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
