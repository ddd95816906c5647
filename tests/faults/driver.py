"""Runs a ledger once for every change it makes to a file, with a fault at that change. Started with the shim preloaded.

    driver.py SHIM FOLDER KIND SEED

For each place a child process opens a ledger, appends, is acknowledged, signs, and closes; the fault ends it, or an
append fails. Then this process, on a disk that works again, opens what is left, goes on, and verifies. One line of JSON
for each place; in the last of them the work came to its end without a fault.
"""

import ctypes
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any, Final

from holdfast.clock import SystemClock
from holdfast.errors import HoldfastError
from holdfast.ledger.draft import Draft, Payload
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.ledger.verify import verify

KINDS: Final = {"kill": 1, "torn": 2, "lose": 3, "some": 4, "error": 5}
APPENDS: Final = 3
_CALL: Final[dict[str, Any]] = {
    "call": "00000000-0000-0000-0000-000000000000",
    "dec": {"effect": "allow"},
    "rpc": {"method": "tools/call", "dir": "to_server", "kind": "request"},
}


def opened(data: Path) -> Ledger:
    return Ledger.open(data, open_keys(data, origin=None), SystemClock(), build={"version": "1"})


def work(data: Path, out: int) -> None:
    """What the child does; every acknowledged Record is told to the parent."""
    ledger = opened(data)
    try:
        for number in range(APPENDS):
            payload = Payload("text/plain", f"masked {number} ".encode() * 100)
            (receipt,) = ledger.append_blocking(Draft("call", dict(_CALL), {"req": payload}))
            os.write(out, f"{receipt.index} {receipt.leaf_hex}\n".encode())
            if number == 1:
                ledger.publish_blocking()
                os.write(out, f"signed {ledger.head().size}\n".encode())
        ledger.append_blocking(Draft("ledger.stop", {}))
    finally:
        ledger.close()


def child(shim: ctypes.CDLL, data: Path, out: int, plan: tuple[int, int, int]) -> None:
    kind, place, seed = plan
    shim.fault_arm(str(data).encode(), kind, ctypes.c_long(place), ctypes.c_ulong(seed))
    code = 0
    try:
        work(data, out)
    except HoldfastError:
        code = 3
    except BaseException as error:  # noqa: BLE001 -- the parent is told, whatever it is
        os.write(out, f"error {type(error).__name__} {error}\n".encode())
        code = 4
    os.write(out, f"changes {shim.fault_count()}\n".encode())
    os._exit(code)


def check(data: Path, told: list[str]) -> str:
    """What is wrong with what is left; empty where nothing is."""
    acknowledged = dict(line.split() for line in told if line[:1].isdigit())
    signed = [int(line.split()[1]) for line in told if line.startswith("signed ")]
    unexpected = [line for line in told if line.startswith("error ")]
    if unexpected:
        return unexpected[0]
    try:
        ledger = opened(data)
        found = ledger.previous
        ledger.append_blocking(Draft("ledger.stop", {}))
        ledger.close()
        verify(data)
    except HoldfastError as error:
        return f"does not go on: {error}"
    if found.size < max(signed, default=0):
        return f"a checkpoint of {max(signed)} was told, {found.size} Records are left"
    with open_reader(data) as reader:
        for index, leaf_hex in acknowledged.items():
            if int(index) >= found.size or reader.leaves(int(index), int(index) + 1)[0].hex() != leaf_hex:
                return f"record {index} was acknowledged and is lost"
        last = json.loads(reader.record(found.size - 1))["typ"] if found.size else None
    if found.clean != (last in (None, "ledger.stop")):
        return "a start does not say that the last run broke off"
    return ""


def one(shim: ctypes.CDLL, folder: Path, plan: tuple[int, int, int]) -> dict[str, Any]:
    data = folder / f"at-{plan[1]}"
    data.mkdir()
    open_keys(data, origin="gw.example.com/ledger/n1")
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        child(shim, data, writing, plan)
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        told = file.read().decode().splitlines()
    _, status = os.waitpid(pid, 0)
    ended = "killed" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else os.WEXITSTATUS(status)
    changes = max((int(line.split()[1]) for line in told if line.startswith("changes ")), default=0)
    wrong = check(data, told)
    shutil.rmtree(data)
    return {"at": plan[1], "ended": ended, "changes": changes, "told": len(told), "wrong": wrong}


def main(shim_path: str, folder: str, kind: str, seed: str) -> None:
    shim = ctypes.CDLL(shim_path)
    place = 1
    while True:
        outcome = one(shim, Path(folder), (KINDS[kind], place, int(seed) + place))
        print(json.dumps(outcome), flush=True)
        if outcome["ended"] != "killed" and outcome["changes"] < place:
            return
        place += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
