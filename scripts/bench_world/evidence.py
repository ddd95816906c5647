"""A ledger of many Records with payloads, then the time and memory that building and verifying its package take.

Records go straight through the Store, in groups as under load, with payloads as masked calls and replies have them.
Build and verify run as commands of their own, so that their peak memory is theirs alone.
"""

import dataclasses
import os
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from holdfast import __version__
from holdfast.clock import SetClock
from holdfast.jsontext import JsonObject, canonical, digest_hex
from holdfast.ledger.draft import Draft, Payload
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger

ROOT: Final = Path(__file__).resolve().parents[2]
GROUP_COUNT: Final = 128  # Records of one append
PEOPLE_COUNT: Final = 200
_ORIGIN: Final = "bench.example/ledger/n1"
_RULES: Final = {"access.yaml": b"version: 1\nrules: []\n"}
_MB: Final = 1024  # ru_maxrss is in KiB on Linux

type Tell = Callable[[str], None]


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """What one command took."""

    seconds: float
    peak_mib: float
    exit_code: int


@dataclasses.dataclass(frozen=True, slots=True)
class EvidenceFigures:
    """A ledger of ``records_count``, how long it took to fill, and what build and verify took."""

    records_count: int
    fill_s: float
    package_bytes: int
    build: Measured
    verify: Measured


def measure(folder: Path, records_count: int, tell: Tell) -> EvidenceFigures:
    """Fill a ledger in ``folder``, build a package, verify it."""
    data, package = folder / "data", folder / "bench.zip"
    began = time.perf_counter()
    fill(data, records_count, tell)
    fill_s = time.perf_counter() - began
    script = str(ROOT / "scripts" / "evidence.py")
    built = _run([script, "build", "--data", str(data), "--out", str(package), "--unrecorded"])
    tell(f"built in {built.seconds:.1f} s, peak {built.peak_mib:.0f} MiB")
    verified = _run([script, "verify", str(package), "--trust", str(data / "keys" / "ledger.vkey")])
    tell(f"verified in {verified.seconds:.1f} s, peak {verified.peak_mib:.0f} MiB")
    size = package.stat().st_size if package.exists() else 0
    return EvidenceFigures(records_count, fill_s, size, built, verified)


def _run(arguments: list[str]) -> Measured:
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL) as child:
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    return Measured(time.perf_counter() - began, _peak_mib(used), child.returncode)


def _peak_mib(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / _MB


def fill(data: Path, records_count: int, tell: Tell) -> None:
    """A ledger of exactly ``records_count`` Records in ``data``: calls and replies, a heartbeat every minute."""
    data.mkdir(mode=0o700, parents=True)
    clock = SetClock()
    ledger = Ledger.open(data, open_keys(data, origin=_ORIGIN), clock, build={"version": __version__})
    try:
        drafts = _drafts(ledger, clock, records_count - 1)
        group: list[Draft] = []
        for count, draft in enumerate(drafts, 2):
            group.append(draft)
            if len(group) == GROUP_COUNT or count == records_count:
                ledger.append_blocking(*group)
                group = []
            if count % 100_000 == 0:
                tell(f"filled {count} of {records_count}")
    finally:
        ledger.close()


def _drafts(ledger: Ledger, clock: SetClock, count: int) -> Iterator[Draft]:
    files: JsonObject = {name: ledger.put_object_blocking("application/yaml", data) for name, data in _RULES.items()}
    rules = digest_hex(files)
    prev: JsonObject = {"size": 1, "root": "0" * 64}
    yield Draft("ledger.start", {"gw": {"version": __version__}, "prev": prev, "clean": True, "rules": rules})
    yield Draft("rules.loaded", {"rules": rules, "files": files})
    made, beat_s = 2, 0.0
    while made < count:
        clock.advance(0.4)
        beat_s += 0.4
        if beat_s >= 60:  # noqa: PLR2004 -- a heartbeat each minute
            beat_s = 0.0
            made += 1
            yield Draft("ledger.heartbeat", {"counters": {"seen": made}})
            continue
        made += 1
        base = _base(made, rules)
        yield _call(base, made)
        if made < count:
            made += 1
            yield _reply(base, made - 1, made)


def _base(number: int, rules: str) -> JsonObject:
    person = number * 7919 % PEOPLE_COUNT
    return {
        "call": str(uuid.UUID(int=number | 4 << 76 | 2 << 62)),
        "rpc": {"id": number, "method": "tools/call", "dir": "to_server", "kind": "request"},
        "who": {
            "iss": "https://login.example.com", "sub": f"user-{person:04}", "name": f"Person {person}",
            "client": "agent", "groups": ["support"], "auth": "jwt",
        },
        "src": {"ip": f"10.0.{person % 16}.{person}", "port": 50_000, "ua": "mcp-client/1.4"},
        "dst": {"server": "crm", "host": "crm.internal:8443"},
        "mcp": {"version": "2025-11-25", "transport": "post", "name": "get_customer"},
        "rules": rules,
    }  # fmt: skip


def _call(base: JsonObject, number: int) -> Draft:
    effect = "deny" if number % 50 == 0 else "allow"
    body = base | {
        "dec": {"effect": effect, "rule": "support-reads", "reason": f"{effect} by rule support-reads"},
        "mask": {"engine": "presidio", "version": "2.2.366", "counts": {"PERSON": 1}},
    }
    arguments: JsonObject = {
        "id": f"C-{number}",
        "note": f"call {number} of <PERSON>, who asked for an account statement",
    }
    return Draft("call", body, {"req": Payload("application/json", canonical(arguments))})


def _reply(base: JsonObject, call_index: int, number: int) -> Draft:
    body: JsonObject = {
        "call": base["call"], "ref": [call_index], "rpc": base["rpc"], "who": base["who"], "dst": base["dst"],
        "out": {"ok": number % 97 != 0, "code": 200, "ms": number % 900},
        "mask": {"engine": "presidio", "version": "2.2.366", "counts": {"CREDIT_CARD": 1, "EMAIL_ADDRESS": 2}},
    }  # fmt: skip
    text = (
        f"Card <CREDIT_CARD>, mail <EMAIL_ADDRESS> and <EMAIL_ADDRESS>; balance of account {number * 31}: {number} EUR"
    )
    data = canonical({"content": [{"type": "text", "text": text}], "isError": False})
    return Draft("reply", body, {"res": Payload("application/json", data)})
