"""Which process a Record speaks for, and whether that process had stopped in order. Standard library only.

In one process, `ledger.start` and `ledger.stop` speak for gateway and writer at once, and have no member ``process``.
Where the writer runs apart, each process records its own start and stop and says which it is. Administrative Records
may come from a command while no gateway runs: they say nothing about either.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from holdfast.jsontext import Json

# Written for an operator, or by whoever watches the witnesses: no gateway need be running.
ADMINISTRATIVE: Final = frozenset(
    ("ledger.rotated", "payload.erased", "evidence.exported", "witness.down", "witness.up", "tool.pinned")
)


def is_of_gateway(typ: str, process: Json) -> bool:
    """Whether a Record shows that the gateway itself was running, or says that it stopped."""
    return typ not in ADMINISTRATIVE and typ != "ledger.genesis" and process != "writer"


def gateway_stopped(backwards: Iterable[tuple[str, Json]]) -> bool:
    """Whether the gateway had stopped in order; ``backwards`` are typ and process of the last Records, newest first."""
    writer_came = False
    for typ, process in backwards:
        if is_of_gateway(typ, process):
            return typ == "ledger.stop"
        # Where the writer runs apart, the first gateway finds its start and no trace of another gateway.
        if typ == "ledger.genesis":
            return writer_came
        writer_came = writer_came or process == "writer"
    return True


def writer_stopped(backwards: Iterable[tuple[str, Json]]) -> bool:
    """The same for a writer that runs apart."""
    for typ, process in backwards:
        if typ not in ADMINISTRATIVE:
            return typ == "ledger.stop" and process != "gateway"
    return True


def backwards(read: Callable[[int], bytes], size: int) -> Iterator[tuple[str, Json]]:
    """Typ and process of the last of ``size`` Records, of the one before it, and so on; ``read`` gives their bytes."""
    for index in range(size - 1, -1, -1):
        body = json.loads(read(index))
        yield body.get("typ"), body.get("process")


class Runs:
    """Numbers the gateway's runs, from 0, by its Records in order.

    A run begins with the gateway's start, or with a boot that nobody announced. Where the writer runs apart and starts
    again, the boot changes and the gateway's run goes on.
    """

    def __init__(self) -> None:
        self._boot = ""
        self._run = 0

    def of(self, typ: str, process: Json, boot: str) -> int:
        """The run that the next Record belongs to."""
        if typ == "ledger.start" and process == "writer":
            self._boot = boot
        elif is_of_gateway(typ, process):
            self._run += typ == "ledger.start" or self._boot not in ("", boot)
            self._boot = boot
        return self._run
