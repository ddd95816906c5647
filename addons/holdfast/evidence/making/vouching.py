"""What outsiders said about a ledger, on its way into a package: cosignature lines and time stamps."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.checking.tokens import stated_time
from holdfast.evidence.files.spool import Spool
from holdfast.evidence.making.period import inner_notes
from holdfast.evidence.tables.material import Stamped
from holdfast.ledger.reader import Reader
from holdfast.witness.store import open_outside

FOLDER: Final = "ledger/timestamps"


class Vouching:
    """Cosignatures and time stamps over the checkpoints of one data folder: read at once, at most one for a minute."""

    def __init__(self, data: Path) -> None:
        try:
            with open_outside(data) as outside:
                self._lines: Final = {size: outside.cosignatures(size) for size in outside.cosigned_sizes()}
                self._stamps: Final = outside.timestamps()
        except LedgerError as error:
            raise EvidenceError(f"witness.db: {error}") from None

    def cosigned(self, size: int, data: bytes) -> bytes:
        """The signed checkpoint ``data`` of ``size``, with the lines of those who cosigned it."""
        known = set(data.splitlines(keepends=True))
        lines = (line.removesuffix(b"\n") + b"\n" for line in self._lines.get(size, []))
        return data + b"".join(line for line in lines if line not in known)

    def add_stamps(self, spool: Spool, low: int, high: int) -> tuple[Stamped, ...]:
        """Put the time stamps over checkpoints from ``low`` to ``high`` in, one of each authority for a size."""
        found: dict[str, Stamped] = {}
        for stamp in self._stamps:
            name = stamp_file(stamp.size, stamp.name)
            if not low <= stamp.size <= high or name in found:
                continue
            spool.add(name, stamp.token)
            found[name] = Stamped(stamp.size, stamp.name, stated_time(stamp.token))
        return tuple(sorted(found.values(), key=lambda item: (item.size, item.name)))

    def inner(self, reader: Reader, low: int, high: int) -> Iterator[tuple[int, bytes]]:
        """Size and bytes of the checkpoints between two sizes, cosigned."""
        for size, data in inner_notes(reader, low, high):
            yield size, self.cosigned(size, data)


def stamp_file(size: int, name: str) -> str:
    """The file of a time stamp over the checkpoint of ``size`` by the authority ``name``."""
    return f"{FOLDER}/{size:012}-{name}.tsr"
