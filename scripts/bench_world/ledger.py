"""Durable appends a second: raw SQLite, the ledger in this process, the ledger of a writer that runs apart.

Everybody writes the same: a Record of a Call and its masked payload, durable (WAL, synchronous=FULL) before the caller
goes on. Raw SQLite inserts rows of the same length into the same two files in batches, with nothing else to do.
"""

import asyncio
import contextlib
import dataclasses
import itertools
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from scripts.bench_world.measure import percentile_ms
from scripts.demo_world.processes import ROOT

from holdfast.clock import SystemClock
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft, Payload
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.ledger.remote.access import SOCKET_FILE, Writable
from holdfast.ledger.remote.remote import RemoteLedger

CALLERS: Final = (1, 64, 256)
RAW, HERE, APART = "raw SQLite", "in process", "over the socket"
PAYLOAD_BYTES: Final = 1024
_BATCH: Final = 128
_START_S: Final = 20.0

_BODY: Final[JsonObject] = {
    "call": str(uuid.UUID(int=7)),
    "rpc": {"id": 1, "method": "tools/call", "dir": "to_server", "kind": "request"},
    "who": {"iss": "https://idp.example.com", "sub": "u-1", "groups": ["support"], "auth": "jwt", "token": "0" * 64},
    "src": {"ip": "127.0.0.1", "port": 50000, "ua": "bench"},
    "dst": {"server": "default", "host": "127.0.0.1:3000", "path": "/mcp"},
    "mcp": {"version": "2025-11-25", "transport": "post", "name": "read_customer"},
    "dec": {"effect": "allow", "rule": "support-reads"},
    "rules": "0" * 64,
    "mask": {"engine": "presidio", "version": "2.2.366", "counts": {"US_SSN": 1}},
}
DRAFT: Final = Draft("call", _BODY, {"req": Payload("application/json", b"x" * PAYLOAD_BYTES)})


@dataclasses.dataclass(slots=True)
class Tally:
    """Appends of one kind by one number of callers, over all rounds."""

    times_us: list[int] = dataclasses.field(default_factory=list)
    count: int = 0
    elapsed_s: float = 0.0

    def row(self) -> dict[str, float]:
        """What is printed."""
        return {
            "appends_per_s": round(self.count / self.elapsed_s),
            "p50_ms": round(percentile_ms(self.times_us, 0.50), 2),
            "p99_ms": round(percentile_ms(self.times_us, 0.99), 2),
        }


@dataclasses.dataclass(frozen=True, slots=True)
class LedgerEffort:
    """How much to measure: seconds of a round, rounds of each kind, Records of the ledger to verify."""

    seconds: float
    round_count: int
    record_count: int


def measure(effort: LedgerEffort) -> dict[str, Any]:
    """The figures, ready for JSON."""
    tallies = {(what, callers): Tally() for callers in CALLERS for what in (RAW, HERE, APART)}
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="hf-bench-") as name, _ledgers(Path(name)) as ledgers:
        entry_bytes = _entry_bytes(Path(name) / HERE, ledgers[HERE])
        for number, callers in itertools.product(range(effort.round_count), CALLERS):
            print(f"round {number + 1} of {effort.round_count}, {callers} callers", file=sys.stderr, flush=True)
            _raw_round(Path(name), callers, entry_bytes, effort.seconds, tallies[RAW, callers])
            for what, ledger in ledgers.items():
                asyncio.run(_round(ledger, callers, effort.seconds, tallies[what, callers]))
    return {
        "machine": {"cores": os.cpu_count(), "python": sys.version.split()[0], "sqlite": sqlite3.sqlite_version},
        "load": [round(load, 2), round(os.getloadavg()[0], 2)],
        "record_bytes": entry_bytes,
        "payload_bytes": PAYLOAD_BYTES,
        "effort": {"seconds": effort.seconds, "rounds": effort.round_count},
        "appends": [
            {"what": what, "callers": callers, **tally.row(), "to_raw": _ratio(tallies, what, callers)}
            for (what, callers), tally in tallies.items()
        ],
        "verify": _verify(effort.record_count),
    }


def _ratio(tallies: dict[tuple[str, int], Tally], what: str, callers: int) -> float:
    ours, raw = (tallies[each, callers].row()["appends_per_s"] for each in (what, RAW))
    return round(ours / raw, 2)


@contextlib.contextmanager
def _ledgers(folder: Path) -> Iterator[dict[str, Writable]]:
    here = _open(folder / HERE)
    apart = folder / "apart"
    command = [sys.executable, str(ROOT / "scripts" / "ledger.py"), "--data", str(apart), "serve"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        remote = RemoteLedger.connect(apart / SOCKET_FILE, wait_s=_START_S)
        yield {HERE: here, APART: remote}
        remote.close()
    finally:
        process.terminate()
        process.wait(_START_S)
        here.close()


def _open(data: Path) -> Ledger:
    data.mkdir(mode=0o700)
    return Ledger.open(data, open_keys(data, origin=None), SystemClock(), build={"version": "bench"})


def _entry_bytes(data: Path, ledger: Writable) -> int:
    (receipt,) = ledger.append_blocking(DRAFT)
    with open_reader(data) as reader:
        return len(reader.record(receipt.index))


async def _round(ledger: Writable, callers: int, seconds: float, tally: Tally) -> None:
    begun_ns = time.perf_counter_ns()
    until_ns = begun_ns + int(seconds * 1e9)

    async def caller() -> None:
        now_ns = time.perf_counter_ns()
        while now_ns < until_ns:
            await ledger.append(DRAFT)
            last_ns, now_ns = now_ns, time.perf_counter_ns()
            tally.times_us.append((now_ns - last_ns) // 1000)
            tally.count += 1

    await asyncio.gather(*(caller() for _ in range(callers)))
    tally.elapsed_s += (time.perf_counter_ns() - begun_ns) / 1e9


def _raw_round(folder: Path, batch: int, entry_bytes: int, seconds: float, tally: Tally) -> None:
    """The same rows by nobody's rules: payloads committed first, then the entries, as the ledger does it."""
    entry, leaf, key = bytes(entry_bytes), bytes(32), bytes(32)
    with (
        contextlib.closing(
            _raw(folder / "raw-payload.db", "c TEXT PRIMARY KEY, key BLOB, ct TEXT, data BLOB")
        ) as payloads,
        contextlib.closing(_raw(folder / "raw-ledger.db", "seq INTEGER PRIMARY KEY, entry BLOB, leaf BLOB")) as entries,
    ):
        begun_ns = now_ns = time.perf_counter_ns()
        while now_ns - begun_ns < seconds * 1e9:
            names = [f"hmac-sha256:{secrets.token_hex(32)}" for _ in range(batch)]
            rows = [(one, key, "application/json", b"x" * PAYLOAD_BYTES) for one in names]
            _raw_commit(payloads, "INSERT INTO t VALUES (?, ?, ?, ?)", rows)
            _raw_commit(entries, "INSERT INTO t VALUES (NULL, ?, ?)", [(entry, leaf)] * batch)
            last_ns, now_ns = now_ns, time.perf_counter_ns()
            tally.times_us.append((now_ns - last_ns) // 1000)
            tally.count += batch
        tally.elapsed_s += (now_ns - begun_ns) / 1e9


def _raw(path: Path, columns: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}").fetchone()
    connection.execute(f"CREATE TABLE IF NOT EXISTS t ({columns}) STRICT")
    return connection


def _raw_commit(connection: sqlite3.Connection, statement: str, rows: list[tuple[Any, ...]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(statement, rows)
    connection.execute("COMMIT")


def _verify(count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="hf-bench-") as name:
        ledger = _open(Path(name) / "data")
        for start in range(0, count - 1, _BATCH):
            ledger.append_blocking(*[DRAFT] * min(_BATCH, count - 1 - start))
        ledger.close()
        command = [sys.executable, str(ROOT / "scripts" / "ledger.py"), "--data", str(Path(name) / "data"), "verify"]
        begun_s = time.perf_counter()
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        return {"records": count, "seconds": round(time.perf_counter() - begun_s, 2), "exit": done.returncode}


def table(report: dict[str, Any]) -> str:
    """The figures for a person."""
    effort, load = report["effort"], report["load"]
    lines = [
        f"a Record of {report['record_bytes']} bytes with a payload of {report['payload_bytes']}, durable",
        f"{effort['rounds']} x {effort['seconds']:g} s each, in turn; load {load[0]} before, {load[1]} after",
        "",
        f"{'':18}{'callers':>8}{'appends/s':>12}{'p50 ms':>10}{'p99 ms':>10}{'to raw':>9}",
    ]
    lines += [
        f"{row['what']:18}{row['callers']:>8}{row['appends_per_s']:>12}"
        f"{row['p50_ms']:>10.2f}{row['p99_ms']:>10.2f}{row['to_raw']:>8.2f}x"
        for row in report["appends"]
    ]
    verified = report["verify"]
    lines += ["", f"verify of {verified['records']} Records with payloads: {verified['seconds']} s"]
    return "\n".join(lines)
