"""Ledgers for tests: made quickly, tampered with as someone who owns the file would, failing where told to."""

import contextlib
import itertools
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from holdfast.clock import SetClock
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft, Payload, Use
from holdfast.ledger.keys import Keys, open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.tree import leaf_hash

ORIGIN = "gw.example.com/ledger/n1"
BUILD: JsonObject = {"version": "0.0.1"}
CALL_ID = str(uuid.UUID(int=7))


def keys_in(directory: Path) -> Keys:
    return open_keys(directory, origin=ORIGIN)


def open_ledger(directory: Path, clock: SetClock | None = None, **more: Any) -> Ledger:
    return Ledger.open(directory, keys_in(directory), clock or SetClock(), build=BUILD, **more)


def call_body(**more: Any) -> JsonObject:
    return {
        "call": CALL_ID,
        "rpc": {"id": 1, "method": "tools/call", "dir": "to_server", "kind": "request"},
        "who": {"iss": "https://idp.example.com", "sub": "alice", "groups": ["support"], "auth": "jwt"},
        "mcp": {"version": "2025-11-25", "transport": "post", "name": "read_customer"},
        "dec": {"effect": "allow", "rule": "support-reads"},
        **more,
    }


def call(text: str = "masked", **more: Any) -> Draft:
    return Draft("call", call_body(**more), {"req": Payload("application/json", text.encode())})


def bare_call(**more: Any) -> Draft:
    return Draft("call", call_body(**more))


def used_call(approval_id: str = "hold-1", use_no: int = 0) -> Draft:
    return Draft("call", call_body(appr={"id": approval_id, "use": use_no}), use=Use(approval_id, use_no))


def heartbeat(number: int = 0) -> Draft:
    return Draft("ledger.heartbeat", {"counters": {"calls": number}})


def fill(directory: Path, count: int = 12) -> None:
    """A ledger of ``count`` Records with payloads, approvals, objects, and a checkpoint after every fourth Record."""
    ledger = open_ledger(directory)
    for index in range(1, count):
        ledger.append_blocking(used_call(f"hold-{index}") if index % 5 == 0 else call(f"masked {index}"))
        if index % 4 == 0:
            ledger.publish_blocking()
    ledger.put_object_blocking("application/yaml", b"version: 1\n")
    ledger.close()


@contextlib.contextmanager
def without_triggers(path: Path) -> Iterator[sqlite3.Connection]:
    """The database in the hands of someone who owns the file and puts the triggers back afterwards."""
    connection = sqlite3.connect(path, isolation_level=None)
    triggers = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("PRAGMA ignore_check_constraints = ON")
    yield connection
    for _, sql in triggers:
        connection.execute(sql)
    connection.close()


def tamper(directory: Path, *statements: str) -> None:
    with without_triggers(directory / "ledger.db") as connection:
        connection.create_function("leaf_hash", 1, leaf_hash)
        for statement in statements:
            connection.execute(statement)


class Faulty(sqlite3.Connection):
    """A connection whose statements do what the test says: ``fault`` sees each one before it runs, and may raise."""

    fault: Callable[[str], None] = staticmethod(lambda _sql: None)

    def execute(self, sql: str, /, *parameters: Any) -> sqlite3.Cursor:
        type(self).fault(sql)
        return super().execute(sql, *parameters)


def faulty(fault: Callable[[str], None]) -> type[sqlite3.Connection]:
    return type("FaultyHere", (Faulty,), {"fault": staticmethod(fault)})


def disk_fault(name: str) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("a fault made by a test")
    error.sqlite_errorname = name
    return error


class FailsAt:
    """Raises a disk fault at the ``after``-th statement that begins with ``verb``, once armed."""

    def __init__(self, verb: str, name: str = "SQLITE_IOERR_FSYNC", after: int = 0) -> None:
        self.verb, self.name, self.armed = verb, name, False
        self.counter, self.after = itertools.count(), after

    def __call__(self, sql: str) -> None:
        if self.armed and sql.startswith(self.verb) and next(self.counter) >= self.after:
            raise disk_fault(self.name)
