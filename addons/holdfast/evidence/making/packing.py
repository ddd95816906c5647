"""The second walk of a build: every Record of the range into its files, and into the Story, in one pass."""

import array
import bisect
from collections.abc import Iterator, Sequence
from typing import Final

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.files import payloads, shelf, withheld
from holdfast.evidence.files.entry import Entry, parse_entry, payload_refs
from holdfast.evidence.files.gz import Packing
from holdfast.evidence.files.naming import OCSF_FILE, objects_of
from holdfast.evidence.files.payloads import Erased, Opened
from holdfast.evidence.files.spool import Spool
from holdfast.evidence.files.withheld import Chooser
from holdfast.evidence.making.meter import Meter
from holdfast.evidence.making.period import Survey
from holdfast.evidence.siem import ocsf
from holdfast.evidence.siem.apart import Apart
from holdfast.evidence.story.teller import Teller
from holdfast.ledger.reader import Reader
from holdfast.ledger.tree import leaf_hash


class Packer:
    """Walks the range once. Afterwards ``objects`` are the digests that Records name, ``later`` erasing Records."""

    def __init__(self, reader: Reader, spool: Spool, surveyed: Survey, chooser: Chooser, teller: Teller) -> None:
        self.objects: Final[dict[str, None]] = {}
        self._shown: Final = array.array("Q")
        self.withheld_count = 0
        self._reader: Final = reader
        self._spool: Final = spool
        self._surveyed: Final = surveyed
        self._chooser: Final = chooser
        self._teller: Final = teller
        self._erasing: Final = dict(surveyed.erasing)
        self._looked_to = surveyed.size
        self._later: Final[set[int]] = set()

    @property
    def later(self) -> tuple[int, ...]:
        """The `payload.erased` Records after the range that payloads of the range were erased by."""
        return tuple(sorted(self._later))

    def walk(self, meter: Meter, other: Apart | None = None) -> None:
        """Pack every Record; ``other`` makes the events for a SIEM meanwhile.

        Raises:
            EvidenceError: one is malformed, or a payload is gone and no Record says that it was erased.
        """
        low, high = self._surveyed.low, self._surveyed.high
        meter.begin("packing", high - low)
        hidden = self._spool.open(withheld.FILE)
        siem = other or Packing(self._spool.open(OCSF_FILE))
        for start in range(low, high, shelf.ENTRIES_PER_FILE):
            end = min(high, start + shelf.ENTRIES_PER_FILE)
            shown: list[Entry] = []
            for entry in self.entries(start, end):
                if self._chooser.shows(entry):
                    shown.append(entry)
                    self._shown.append(entry.index)
                else:
                    hidden.write(withheld.line_of(entry.index, leaf_hash(entry.data)))
                    self.withheld_count += 1
            self._pack(start, end, shown, siem)
            meter.at(end - low)
        hidden.close()
        if isinstance(siem, Packing):
            siem.close()
        else:
            self._take_events(siem)

    def _take_events(self, other: Apart) -> None:
        if other.finish():
            self._spool.add(OCSF_FILE, other.chunks())
            return
        # What the second process could not do is done here.
        siem = Packing(self._spool.open(OCSF_FILE))
        for entry in self.shown_entries():
            siem.write(ocsf.line(entry))
        siem.close()

    def shown_indices(self) -> Sequence[int]:
        """The indices of the Records that are shown, ascending."""
        return self._shown

    def shown_entries(self, first: int | None = None, end: int | None = None) -> Iterator[Entry]:
        """The Records that are shown, parsed again; see :class:`holdfast.evidence.tables.material.Entries`."""
        low = self._surveyed.low if first is None else max(first, self._surveyed.low)
        high = self._surveyed.high if end is None else min(end, self._surveyed.high)
        place = bisect.bisect_left(self._shown, low)
        for entry in self.entries(low, high):
            if place < len(self._shown) and self._shown[place] == entry.index:
                place += 1
                yield entry

    def entries(self, start: int, end: int) -> Iterator[Entry]:
        """The Records from ``start`` to before ``end``, parsed."""
        return (parse_entry(index, data) for index, data in self._reader.records(start, end))

    def _pack(self, start: int, end: int, shown: list[Entry], siem: Packing | Apart) -> None:
        by_index = {entry.index: entry for entry in shown}
        bundle: Packing | None = None
        if shown:
            self._spool.add(shelf.file_name(start), shelf.pack(entry.data for entry in shown))
            bundle = Packing(self._spool.open(payloads.file_name(start)))
        for index in range(start, end):
            entry = by_index.get(index)
            if entry is None or bundle is None:
                self._teller.withhold(index)
                continue
            self._teller.add(entry, self._payloads(entry, bundle))
            if isinstance(siem, Packing):
                siem.write(ocsf.line(entry))
            else:
                siem.add(entry.data)
            self.objects.update(dict.fromkeys(objects_of(entry)))
        if bundle is not None:
            bundle.close()

    def _payloads(self, entry: Entry, bundle: Packing) -> dict[str, Opened | None]:
        opened: dict[str, Opened | None] = {}
        for member, (commitment, _, _) in payload_refs(entry).items():
            row = self._read(commitment)
            found = Opened(*row) if row is not None else self._erased(entry, commitment)
            opened[member] = found if isinstance(found, Opened) else None
            bundle.write(payloads.as_line(commitment, found) + b"\n")
        return opened

    def _read(self, commitment: str) -> tuple[str, bytes, bytes] | None:
        return self._reader.payload(commitment)

    def _erased(self, entry: Entry, commitment: str) -> Erased:
        if commitment not in self._erasing:
            self._look_again()
        index = self._erasing.get(commitment)
        if index is None or index <= entry.index:
            raise EvidenceError(f"record {entry.index}: its payload is gone, and no Record says that it was erased")
        if index >= self._surveyed.high:
            self._later.add(index)
        return Erased(index)

    def _look_again(self) -> None:
        """The gateway goes on: what was erased since the first walk is in Records that it has not seen."""
        try:
            size = self._reader.size()
            for entry in self.entries(self._looked_to, size):
                for commitment in entry.texts("erased") if entry.typ == "payload.erased" else ():
                    self._erasing.setdefault(commitment, entry.index)
        except LedgerError as error:
            raise EvidenceError(str(error)) from None
        self._looked_to = size
