"""What operators do about definitions: see which are not trusted and what changed, and accept one.

Accepting is a Record. A gateway that runs finds it in the ledger when the definition is next listed or called.
"""

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.approval.visible import visible
from holdfast.catalog import Catalogs, Key, Known
from holdfast.clock import SystemClock
from holdfast.comparing import compare
from holdfast.errors import SettingsError
from holdfast.jsontext import JsonObject
from holdfast.ledger.commands.keeping import operator
from holdfast.ledger.commands.shared import out
from holdfast.ledger.draft import Draft
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.remote.access import open_for_command
from holdfast.policy.screens import SCREENED
from holdfast.trusted import Pins

EXIT_OK: Final = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A definition of ``server`` in a ledger, and what changed since it was accepted."""

    server: str
    key: Key
    known: Known
    difference: str

    @property
    def state(self) -> str:
        """In a word: pinned, changed, new, or screened where a screen found something that nobody accepted."""
        if not self.known.is_trusted:
            return "changed" if self.known.pinned is not None else "new"
        return "screened" if self.known.flags and not self.known.by_operator else "pinned"

    def to_json(self) -> JsonObject:
        """As `scripts/rules.py pins --json` prints it."""
        return {
            "server": self.server,
            "kind": self.key.kind,
            "name": self.key.name,
            "state": self.state,
            "digest": self.known.seen.digest_hex,
            "pinned": self.known.pinned.digest_hex if self.known.pinned is not None else None,
            "screens": [*sorted(self.known.flags)],
        }


def add[P: argparse.ArgumentParser](commands: "argparse._SubParsersAction[P]") -> None:
    """Declare `pins` and `pin`."""
    listing = commands.add_parser("pins", help="the definitions of servers, and which of them nobody accepted")
    listing.set_defaults(run=run_pins)
    listing.add_argument("--json", action="store_true", help="print JSON")
    pinning = commands.add_parser("pin", help="accept a definition as a server last stated it; a Record says so")
    pinning.set_defaults(run=run_pin)
    pinning.add_argument("--server", required=True, help="the MCP server's name")
    pinning.add_argument("--tool", required=True, metavar="NAME", help="the tool, prompt or resource, as `pins` has it")
    pinning.add_argument("--kind", choices=SCREENED, default="tool", help="what it is; default: tool")
    pinning.add_argument("--digest", default="", metavar="HEX", help="only if its digest begins so")
    pinning.add_argument("--reason", help="why; stands in the Record")
    for command in (listing, pinning):
        command.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the gateway's ledger")


def run_pins(options: argparse.Namespace) -> int:
    """A line for each definition, and what changed in those that nobody accepted."""
    with open_reader(options.data) as reader:
        found = list(_every(reader))
    if options.json:
        out(json.dumps([one.to_json() for one in found], ensure_ascii=False, indent=2))
        return EXIT_OK
    for one in found:
        out(f"{one.state:<8} {one.server} {one.key.kind} {visible(one.key.name)} {one.known.seen.digest_hex[:16]}")
        for screen in sorted(one.known.flags):
            out(f"         screen {screen} found something")
        for line in one.difference.splitlines():
            out(f"         {line}")
    return EXIT_OK


def run_pin(options: argparse.Namespace) -> int:
    """Show what changed, and accept it.

    Raises:
        SettingsError: there is no such definition, or it has another digest.
        LedgerError: the Record cannot be written.
    """
    with open_reader(options.data) as reader:
        wanted = (options.server, Key.of(options.kind, options.tool))
        found = next((one for one in _every(reader) if (one.server, one.key) == wanted), None)
    if found is None:
        raise SettingsError(f"no {options.kind} of that name and server in the ledger; `rules.py pins` lists them")
    seen, pinned = found.known.seen, found.known.pinned
    if not seen.digest_hex.startswith(options.digest):
        raise SettingsError(f"its definition has the digest {seen.digest_hex} by now; nothing was accepted")
    if found.state == "pinned":
        out("it is pinned already; nothing to accept")
        return EXIT_OK
    for line in found.difference.splitlines():
        out(line)
    tool: JsonObject = {"kind": found.key.kind, "name": found.key.name, "digest": seen.digest_hex}
    tool |= {"pin": seen.pin} if seen.pin else {}
    tool |= {"previous": pinned.digest_hex} if pinned is not None else {}
    body: JsonObject = {"tool": tool, "dst": {"server": found.server}, "operator": operator()}
    body |= {"reason": options.reason} if options.reason else {}
    with open_for_command(options.data, SystemClock()) as ledger:
        (receipt,) = ledger.append_blocking(Draft("tool.pinned", body))
    out(f"accepted in record {receipt.index}: {found.key.kind} {visible(found.key.name)} of {found.server}")
    return EXIT_OK


def _every(reader: Reader) -> Iterator[Found]:
    catalogs = Catalogs()
    Pins(reader.records).rebuild(catalogs)
    for server in sorted(catalogs.servers()):
        for key, known in catalogs.of(server).items():
            yield Found(server, key, known, _difference(reader, known))


def _difference(reader: Reader, known: Known) -> str:
    if known.is_trusted and not (known.flags and not known.by_operator):
        return ""
    now = reader.object(known.seen.digest_hex)
    base = known.pinned if known.pinned is not None and not known.is_trusted else None
    before = reader.object(base.digest_hex) if base is not None else None
    if now is None:
        return "its wording is not in the ledger"
    text = compare(before[1] if before is not None else None, now[1])
    return text if before is not None else "\n".join(["it reads:", *text.split("\n")[1:]])
