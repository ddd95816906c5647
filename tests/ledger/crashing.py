"""A key rotation or a recovery, once for every change it makes to a file, with a fault at that change.

    crashing.py SHIM FOLDER KIND WORK

Started with the shim of tests/faults preloaded. For each place a child process does the work on a copy of
FOLDER/template, and the fault ends it, or a call to the disk fails. Then this process, on a disk that works again, goes
on and says what is wrong. One line of JSON for each place; in the last of them the work came to its end.
"""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from holdfast.clock import SystemClock
from holdfast.errors import HoldfastError, LedgerError
from holdfast.ledger.draft import Draft
from holdfast.ledger.keeping import epochs
from holdfast.ledger.keeping.recovering import recover
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import verify

HERE: Final = Path(__file__).parent
SHIM: Final = HERE.parent / "faults" / "shim.c"
KINDS: Final = {"kill": 1, "torn": 2, "lose": 3, "some": 4, "error": 5}
NAMED_PLACES: Final = 50
KEYS: Final = {"ledger.pem", "ledger.pub.pem", "ledger.vkey", "masking.key", "request.key", "origin"}


def drive(folder: Path, kind: str, work: str) -> list[dict[str, Any]]:
    """What came of the work at every place; ``folder`` holds the template."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler")
    library = folder / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, __file__, library, folder, kind, work],
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def opened(data: Path) -> Ledger:
    return Ledger.open(data, open_keys(data, origin=None), SystemClock(), build={"version": "1"})


def recovered(data: Path) -> None:
    recover(data, SystemClock(), build={"version": "1"}, reason="a test broke it", operator={"uid": 0})


def work_rotate(data: Path, overlap_s: int, arm: Any, out: int) -> None:
    ledger = opened(data)
    try:
        arm()
        key = ledger.rotate_blocking(overlap_s=overlap_s, reason="due", operator=None)
        os.write(out, f"rotated {key.to_text()}\n".encode())
        ledger.append_blocking(Draft("ledger.heartbeat", {"counters": {}}))
    finally:
        ledger.close()


def work_recover(data: Path, arm: Any, out: int) -> None:
    arm()
    recovered(data)
    os.write(out, b"recovered\n")


def child(shim: ctypes.CDLL, data: Path, out: int, plan: tuple[int, int], work: str) -> None:
    def arm() -> None:
        shim.fault_arm(str(data).encode(), plan[0], ctypes.c_long(plan[1]), ctypes.c_ulong(plan[1]))

    code = 0
    try:
        if work == "recover":
            work_recover(data, arm, out)
        else:
            work_rotate(data, int(work.removeprefix("rotate-")), arm, out)
    except (HoldfastError, OSError):
        code = 3
    except BaseException as error:  # noqa: BLE001 -- the parent is told, whatever it is
        os.write(out, f"error {type(error).__name__} {error}\n".encode())
    os.write(out, f"changes {shim.fault_count()}\n".encode())
    os._exit(code)


def check_rotated(data: Path, template: Path, told: list[str], overlap_s: int) -> str:
    first = (template / "keys" / "ledger.vkey").read_text()
    ledger = opened(data)
    ledger.append_blocking(Draft("ledger.stop", {}))
    key = ledger.keys.verifier.to_text()
    ledger.close()
    verified = verify(data, first)
    if verify(data, key) != verified or verify(data) != verified or verified.vkey != key:
        return "the keys do not lead to one another"
    for line in told:
        if line.startswith("rotated ") and line.split()[1] != key:
            return "the key that was told is not the ledger's"
    expected = set(KEYS)
    if verified.rotations:
        old = first.split("+")[1]
        expected |= {"rotations.jsonl", f"old/{old}.vkey"} | ({f"old/{old}.pem"} if overlap_s else set())
    folder = data / "keys"
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    if found != expected:
        return f"keys/ holds {sorted(found ^ expected)} too much or too little"
    return "" if verified.rotations == (first.strip() != key) else "the Records do not say which key signs"


def check_recovered(data: Path, template: Path) -> str:
    try:
        opened(data).close()  # as the gateway would
    except HoldfastError:
        recovered(data)
    opened(data).close()
    kept = data / epochs.ABANDONED_DIR / "1"
    for path in template.rglob("*"):
        if path.is_file() and path.name != "ledger.lock":
            moved = kept / path.relative_to(template)
            if not moved.exists() or moved.read_bytes() != path.read_bytes():
                return f"{path.name} was not kept as it was"
    if (data / epochs.PENDING_FILE).exists():
        return "the recovery is pending for ever"
    verified = verify(data)
    with open_reader(data) as reader:
        genesis = json.loads(reader.record(0))
    if genesis["abandoned"]["size"] != 6 or verified.size != 1 or not verified.origin.endswith("/n1/2"):
        return "the new epoch does not name the old one"
    try:
        opened(kept).close()
    except LedgerError:
        return ""
    return "the abandoned ledger can be continued"


def one(shim: ctypes.CDLL, folder: Path, plan: tuple[int, int], work: str) -> dict[str, Any]:
    data, template = folder / f"at-{plan[1]}", folder / "template"
    shutil.copytree(template, data)
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        child(shim, data, writing, plan, work)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        told = file.read().decode().splitlines()
    _, status = os.waitpid(pid, 0)
    ended = "killed" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else os.WEXITSTATUS(status)
    changes = max((int(line.split()[1]) for line in told if line.startswith("changes ")), default=0)
    wrong = "".join(line for line in told if line.startswith("error "))
    try:
        if work == "recover":
            wrong = wrong or check_recovered(data, template)
        else:
            wrong = wrong or check_rotated(data, template, told, int(work.removeprefix("rotate-")))
    except HoldfastError as error:
        wrong = f"does not go on: {error}"
    shutil.rmtree(data)
    return {"at": plan[1], "ended": ended, "changes": changes, "told": told, "wrong": wrong}


def main(shim_path: str, folder: str, kind: str, work: str) -> None:
    shim = ctypes.CDLL(shim_path)
    place = 1
    while True:
        outcome = one(shim, Path(folder), (KINDS[kind], place), work)
        print(json.dumps(outcome), flush=True)
        if outcome["ended"] != "killed" and outcome["changes"] < place:
            return
        # Later places of a recovery are those of making new databases, which tests/faults tries one by one.
        place += 1 if work != "recover" or place < NAMED_PLACES else 15


if __name__ == "__main__":
    main(*sys.argv[1:])
