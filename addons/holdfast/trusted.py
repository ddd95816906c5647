"""What is trusted, read from the ledger: every definition as it was last seen, and as it was pinned.

A gateway that starts reads all Records once, so that no restart makes a changed tool a new one. While it runs, it looks
for what operators pinned meanwhile whenever that could make a difference.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from holdfast import jsontext
from holdfast.catalog import Catalogs, Key, Known, Version
from holdfast.jsontext import Json, JsonObject

_MARK: Final = b'"typ":"tool.'  # in the canonical form of every Record about a definition, and in few others
_PINNED: Final = b'"typ":"tool.pinned"'
_READ_COUNT: Final = 2**40  # as far as there are Records

type Records = Callable[[int, int], Iterator[tuple[int, bytes]]]


class Pins:
    """Follows the Records that say what is pinned. ``records`` reads from one index to before another, and blocks."""

    def __init__(self, records: Records | None = None) -> None:
        self._records = records
        self._next = 0
        self._reading = asyncio.Lock()

    def rebuild(self, catalogs: Catalogs) -> None:
        """Take in everything that the ledger says of definitions. Blocks: about ten seconds for a million Records.

        Raises:
            LedgerError: it cannot be read.
        """
        for body in self._read(_MARK):
            follow(catalogs, body)

    async def refresh(self, catalogs: Catalogs) -> None:
        """Take in what operators pinned since.

        Raises:
            LedgerError: the ledger cannot be read.
        """
        async with self._reading:
            for body in await asyncio.to_thread(lambda: list(self._read(_PINNED))):
                follow(catalogs, body)

    def _read(self, mark: bytes) -> Iterator[JsonObject]:
        if self._records is None:
            return
        for index, entry in self._records(self._next, self._next + _READ_COUNT):
            self._next = index + 1
            if mark in entry and isinstance(body := jsontext.parse(entry), dict):
                yield body


def follow(catalogs: Catalogs, body: JsonObject) -> None:
    """Take in one Record, if it is about a definition."""
    server, tool = _text(body.get("dst"), "server"), body.get("tool")
    if not isinstance(tool, dict):
        return
    catalog = catalogs.of(server)
    key = Key.of(_text(tool, "kind") or "tool", _text(tool, "name"))
    version = Version(_text(tool, "pin"), _text(tool, "digest"))
    known = catalog.known(key)
    match body.get("typ"):
        case "tool.defined":
            effect = _text(body.get("dec"), "effect") or "allow"  # Records of earlier versions pinned whatever came
            catalog.remember(key, defined(known, version, is_pinned=effect == "allow"))
        case "tool.screened":
            rule = _text(body.get("dec"), "rule")
            seen = (
                known if known is not None and known.seen.is_same(version) else defined(known, version, is_pinned=False)
            )
            catalog.remember(key, Known(seen.seen, seen.pinned, seen.by_operator, seen.flags | {rule}))
        case "tool.pinned":
            seen_version, flags = (known.seen, known.flags) if known is not None else (version, frozenset[str]())
            catalog.remember(key, Known(seen_version, version, by_operator=True, flags=flags))
        case _:
            pass


def defined(known: Known | None, version: Version, *, is_pinned: bool) -> Known:
    """What is known after ``version`` was seen; ``is_pinned`` is whether that made it the pinned one."""
    pinned = known.pinned if known is not None else None
    if is_pinned and not version.is_same(pinned):
        return Known(version, version)
    return Known(version, pinned, by_operator=known is not None and known.by_operator)


def _text(value: Json, name: str) -> str:
    member = value.get(name) if isinstance(value, dict) else None
    return member if isinstance(member, str) else ""
