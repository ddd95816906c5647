"""`desk.db`: the desk's working memory, so that Holds outlive a restart.

The truth is in the Records. What is read back from here lets nothing pass by itself: a grant verifies its signed
statements again before it is used. Nothing unmasked is in it, and views leave it when their Hold is closed.

One thread of its own does the writing, so that an fsync stops no other call.
"""

import asyncio
import concurrent.futures
import contextlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from holdfast import jsontext
from holdfast.approval.holds import Decided, Hold, Requester, State
from holdfast.clock import utc_parse, utc_text
from holdfast.errors import SettingsError
from holdfast.jsontext import JsonObject

FILE_NAME: Final = "desk.db"
_APPLICATION_ID: Final = 0x48464453  # "HFDS"
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS holds (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    facts TEXT NOT NULL,
    view BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS decisions (
    hold TEXT NOT NULL REFERENCES holds (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    approver TEXT NOT NULL,
    decision TEXT NOT NULL,
    assurance TEXT NOT NULL,
    record_index INTEGER NOT NULL,
    envelope BLOB NOT NULL,
    PRIMARY KEY (hold, number)
) STRICT;
"""
_PRAGMAS: Final = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "secure_delete = ON",  # a view that left shall not stay readable in free pages
    f"application_id = {_APPLICATION_ID}",
)


class Store:
    """Holds on disk. Open it with :func:`open_store`; every method may be awaited from one event loop."""

    def __init__(self, db: sqlite3.Connection, writer: concurrent.futures.ThreadPoolExecutor) -> None:
        self._db = db
        self._writer = writer

    async def put(self, *holds: Hold) -> None:
        """Write ``holds`` in one transaction, durable on return.

        Raises:
            sqlite3.Error: the disk or the file fails.
        """
        await self._run(lambda: self._put(holds))

    async def drop(self, ids: Iterable[str]) -> None:
        """Forget Holds that were closed long ago."""
        keys = [(hold_id,) for hold_id in ids]
        await self._run(lambda: self._drop(keys))

    async def load(self) -> tuple[Hold, ...]:
        """Every Hold in the file.

        Raises:
            SettingsError: a row is not readable.
        """
        return await self._run(self._load)

    async def close(self) -> None:
        """Finish the writes under way and close the file."""
        await self._run(self._db.close)
        self._writer.shutdown()

    async def _run[T](self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def _put(self, holds: tuple[Hold, ...]) -> None:
        with _transaction(self._db):
            for hold in holds:
                self._db.execute(
                    "INSERT INTO holds (id, state, facts, view) VALUES (?, ?, ?, ?)"
                    " ON CONFLICT (id) DO UPDATE SET state = excluded.state, facts = excluded.facts,"
                    " view = excluded.view",
                    (hold.id, hold.state.value, jsontext.canonical(_facts(hold)).decode("utf-8"), hold.view),
                )
                self._db.executemany(
                    "INSERT INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    [
                        (hold.id, number, one.approver, one.decision, one.assurance, one.record_index, one.envelope)
                        for number, one in enumerate(hold.decisions)
                    ],
                )

    def _drop(self, keys: list[tuple[str]]) -> None:
        with _transaction(self._db):
            self._db.executemany("DELETE FROM holds WHERE id = ?", keys)

    def _load(self) -> tuple[Hold, ...]:
        rows = self._db.execute("SELECT id, state, facts, view FROM holds ORDER BY rowid").fetchall()
        try:
            return tuple(self._hold(*row) for row in rows)
        except (KeyError, TypeError, ValueError):
            raise SettingsError(
                f"{FILE_NAME} has a row that is no hold; stop the gateway and move the file away (open holds are lost,"
                " the ledger keeps every decision)"
            ) from None

    def _hold(self, hold_id: str, state: str, facts: str, view: bytes) -> Hold:
        rows = self._db.execute(
            "SELECT approver, decision, assurance, envelope, record_index FROM decisions"
            " WHERE hold = ? ORDER BY number",
            (hold_id,),
        )
        return _from_facts(hold_id, State(state), facts, view, tuple(Decided(*row) for row in rows))


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


def _facts(hold: Hold) -> JsonObject:
    return {
        "call": hold.call_id,
        "iss": hold.requester.iss,
        "sub": hold.requester.sub,
        "caller": hold.requester.name,
        "act": list(hold.requester.act),
        "digest": hold.digest_hex,
        "rule": hold.rule,
        "rules": hold.rules_digest_hex,
        "server": hold.server,
        "method": hold.method,
        "name": hold.name,
        "view": hold.view_digest_hex,
        "nonce": hold.nonce,
        "opened": utc_text(hold.opened_at),
        "expires": utc_text(hold.expires_at),
        "index": hold.opened_index,
        "note": hold.note,
    }


def _from_facts(hold_id: str, state: State, facts: str, view: bytes, decisions: tuple[Decided, ...]) -> Hold:
    value = json.loads(facts)
    return Hold(
        id=hold_id,
        state=state,
        call_id=value["call"],
        requester=Requester(value["iss"], value["sub"], value["caller"], tuple(value["act"])),
        digest_hex=value["digest"],
        rule=value["rule"],
        rules_digest_hex=value["rules"],
        server=value["server"],
        method=value["method"],
        name=value["name"],
        view=view,
        view_digest_hex=value["view"],
        nonce=value["nonce"],
        opened_at=utc_parse(value["opened"]),
        expires_at=utc_parse(value["expires"]),
        opened_index=value["index"],
        decisions=decisions,
        note=value["note"],
    )


def open_store(path: Path) -> Store:
    """The store at ``path``, made with mode 0600 where it is missing.

    Raises:
        SettingsError: the file cannot be opened, or is no desk.db of ours.
    """
    writer = concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix="holdfast-desk")
    try:
        return Store(writer.submit(_connect, path).result(), writer)
    except (OSError, sqlite3.Error) as error:
        writer.shutdown()
        raise SettingsError(f"{path.name} cannot be opened: {error}. Check the data folder and its disk") from None


def _connect(path: Path) -> sqlite3.Connection:
    # The file is made before SQLite opens it: its journals inherit the mode, and no moment passes with another.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    path.chmod(0o600)
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=True)
    try:
        for pragma in _PRAGMAS:
            db.execute(f"PRAGMA {pragma}")
        db.executescript(_SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db
