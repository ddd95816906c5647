"""An export as an event of its own: recorded in the ledger before the package gets its name."""

import os
import pwd
from pathlib import Path
from typing import Final

from holdfast.clock import Clock
from holdfast.evidence.files.scope import Scope
from holdfast.evidence.files.spool import Drafted
from holdfast.evidence.making.meter import Say
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft
from holdfast.ledger.keys import Keys
from holdfast.ledger.remote.access import open_for_command
from holdfast.witness.submit import submit_now


class Exporter:
    """The ledger's side of an export. Opens it twice and briefly, so that a gateway may start meanwhile."""

    def __init__(self, data: Path, clock: Clock, say: Say) -> None:
        self._data: Final = data
        self._clock: Final = clock
        self._say: Final = say

    def publish(self) -> None:
        """Have a checkpoint signed over everything so far, so that the range can end with it.

        Raises:
            LedgerError: it cannot be.
        """
        with open_for_command(self._data, self._clock) as ledger:
            ledger.publish_blocking()

    def record(self, drafted: Drafted, scope: Scope, reason: str) -> int:
        """Record that the package was built; returns the index of the Record, which is durable.

        Raises:
            LedgerError: it cannot be recorded.
        """
        export: JsonObject = {
            "digest": drafted.digest_hex,
            "first": scope.start.size,
            "size": scope.end.size,
            "root": scope.end.root.hex(),
            "bytes": drafted.size_bytes,
        }
        export |= {"withheld": scope.withheld_count} if scope.withheld_count else {}
        body: JsonObject = {"export": export, "operator": _operator()}
        body |= {"reason": reason} if reason else {}
        with open_for_command(self._data, self._clock) as ledger:
            (receipt,) = ledger.append_blocking(Draft("evidence.exported", body))
        self._say(f"recorded the export as record {receipt.index}")
        return receipt.index


def have_vouched(data: Path, keys: Keys, rules_dir: Path, say: Say) -> None:
    """Have everybody in the rules vouch for the newest checkpoint; who does not is told, and no failure."""
    for told in submit_now(data, keys, rules_dir):
        say(told.line())


def _operator() -> JsonObject:
    uid = os.getuid()
    try:
        return {"uid": uid, "name": pwd.getpwuid(uid).pw_name}
    except KeyError:
        return {"uid": uid}
