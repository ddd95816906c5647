"""Build a package: from a ledger folder to one file that a stranger verifies.

1. The whole ledger is walked once, and every Checkpoint checked on the way: a ledger that does not verify gives no
   package. The period that was asked for is widened to whole Checkpoints; what is newer than the last one gets one.
2. The range is walked a second time: Records, payloads and the Story go into their files in one pass.
3. What a verifier needs besides: proofs, keys, rules, what outsiders said, samples. Then all that follows from it.
4. All of it is signed, written beside the place it is for, and recorded in the ledger before it gets its name.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from holdfast.clock import Clock, SystemClock
from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.files.scope import Mark, Scope
from holdfast.evidence.files.spool import Spool
from holdfast.evidence.files.withheld import Chooser, Selection
from holdfast.evidence.making import exporting, sealing
from holdfast.evidence.making.belongings import Belongings
from holdfast.evidence.making.meter import Meter, Say
from holdfast.evidence.making.packing import Packer
from holdfast.evidence.making.period import Period, Survey, survey
from holdfast.evidence.making.vouching import Vouching
from holdfast.evidence.siem import apart
from holdfast.evidence.story.notebook import Notebook
from holdfast.evidence.story.story import Story
from holdfast.evidence.story.teller import Teller
from holdfast.evidence.tables.derived import derive_pages, derive_tables, readable
from holdfast.evidence.tables.material import Material, Outside
from holdfast.ledger.keys import Keys, open_keys
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.schema import KEYS_DIR
from holdfast.ledger.signatures import verify_signature
from holdfast.ledger.tree import Frontier


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Args:
        period: the Records; everything where it is open.
        asked: the two times in the words of the asker.
        selection: which of them are withheld.
        controls: the frameworks that CONTROLS.csv and the pages speak of, and the words that chose them.
        control_ids: those words.
        sample_count: how many Records are drawn as samples; 0 for none.
        nonce: the auditor's word that decides which.
    """

    period: Period = dataclasses.field(default_factory=Period)
    asked: tuple[str, str] = ("", "")
    selection: Selection = dataclasses.field(default_factory=Selection)
    controls: tuple[Any, ...] = ()
    control_ids: tuple[str, ...] = ()
    sample_count: int = 0
    nonce: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Built:
    """A package that was written. ``missing_objects`` are digests that Records name and the ledger does not keep.

    ``recorded_index`` is the `evidence.exported` Record; None where none was written.
    """

    path: Path
    origin: str
    first_index: int
    records_count: int
    withheld_count: int
    erased_count: int
    missing_objects: tuple[str, ...]
    digest_hex: str
    size_bytes: int
    recorded_index: int | None


def build(  # noqa: PLR0913 -- one for each thing that a command says
    data: Path,
    out: Path,
    *,
    wanted: Wanted | None = None,
    period: Period | None = None,
    progress: Say = lambda _: None,
    record: bool = False,
    rules_dir: Path | None = None,
    clock: Clock | None = None,
    reason: str = "",
) -> Built:
    """Write the package to ``out``. The gateway may go on meanwhile.

    ``data`` is the ledger's folder with its keys; ``wanted`` None is the whole ledger, and ``period`` short for a
    ``wanted`` that is this period alone. ``record``: whether the export becomes a Record, with ``reason``, as the
    command has it; the ledger must not be open in this process then. ``rules_dir`` has the `witnesses.yaml` of
    those who are to vouch for the newest checkpoint first. ``clock`` None is the machine's.

    Raises:
        EvidenceError: the ledger does not verify, nothing lies in the period, or the file cannot be written.
        LedgerError: the ledger cannot be read, or the export not recorded.
        SettingsError: the keys cannot be read.
    """
    if not (data / KEYS_DIR).is_dir():
        raise EvidenceError(f"{data} holds no ledger: there is no folder {KEYS_DIR} in it")
    meter = Meter(progress, clock)
    ledger = exporting.Exporter(data, clock or SystemClock(), meter.say) if record else None
    if ledger is not None:
        ledger.publish()
    keys = open_keys(data, origin=None)
    if rules_dir is not None:
        exporting.have_vouched(data, keys, rules_dir, meter.say)
    folder = _folder(out)
    with open_reader(data) as reader, Spool(folder) as spool, Notebook() as book:
        builder = _Builder(reader, keys, spool, meter, folder)
        packed = builder.pack(wanted or Wanted(period or Period()), Vouching(data), book)
        meter.say(f"writing {out}")
        drafted = spool.draft(out)
        try:
            index = ledger.record(drafted, packed.scope, reason) if ledger is not None else None
            # The export is durable in the ledger: only now may the package have its name.
            drafted.keep()
        except BaseException:
            drafted.drop()
            raise
    return packed.built(out, drafted.digest_hex, drafted.size_bytes, index)


def page(data: Path, folder: Path, wanted: Wanted, progress: Say = lambda _: None) -> bytes:
    """One readable page of what a package would hold: about the controls that were asked for, else the front page.

    ``folder`` is for temporary files.

    Raises:
        EvidenceError: see :func:`build`; or an id names no control.
    """
    if not (data / KEYS_DIR).is_dir():
        raise EvidenceError(f"{data} holds no ledger: there is no folder {KEYS_DIR} in it")
    keys = open_keys(data, origin=None)
    with open_reader(data) as reader, Spool(folder) as spool, Notebook() as book:
        try:
            material, _ = _Builder(reader, keys, spool, Meter(progress), folder).gather(wanted, Vouching(data), book)
        except LedgerError as error:
            raise EvidenceError(str(error)) from None
        return readable(material, wanted.control_ids)


def _folder(out: Path) -> Path:
    folder = out.absolute().parent
    if not folder.is_dir():
        raise EvidenceError(f"{folder} is no folder: make it, or give another --out")
    return folder


@dataclasses.dataclass(frozen=True, slots=True)
class _Packed:
    scope: Scope
    erased_count: int
    missing: tuple[str, ...]

    def built(self, out: Path, digest_hex: str, size_bytes: int, recorded_index: int | None) -> Built:
        first, end = self.scope.start.size, self.scope.end.size
        counts = (first, end - first, self.scope.withheld_count, self.erased_count)
        return Built(out, self.scope.origin, *counts, self.missing, digest_hex, size_bytes, recorded_index)


class _Builder:
    def __init__(self, reader: Reader, keys: Keys, spool: Spool, meter: Meter, folder: Path) -> None:
        self._folder: Final = folder
        self._reader: Final = reader
        self._keys: Final = keys
        self._spool: Final = spool
        self._meter: Final = meter

    def pack(self, wanted: Wanted, vouching: Vouching, book: Notebook) -> _Packed:
        """Everything up to the signatures, in the order of the module's docstring."""
        try:
            material, missing = self.gather(wanted, vouching, book)
            scope, key = material.scope, self._keys.verifier
            sealing.add_fixed(self._spool, scope, key, wanted.controls)
            self._derive(material)
            sealing.seal(self._spool, scope, key, self._keys.ledger.sign)
        except LedgerError as error:
            raise EvidenceError(str(error)) from None
        return _Packed(scope, material.story.erased_count, missing)

    def gather(self, wanted: Wanted, vouching: Vouching, book: Notebook) -> tuple[Material, tuple[str, ...]]:
        """What everything else follows from, and the digests of objects that the ledger does not keep."""
        surveyed = survey(self._reader, self._keys.verifier, verify_signature, wanted.period, self._meter)
        teller = Teller(book, surveyed.low, surveyed.rules)
        packer = Packer(self._reader, self._spool, surveyed, Chooser(wanted.selection, surveyed.low), teller)
        with apart.started(surveyed.high - surveyed.low, self._folder) as other:
            packer.walk(self._meter, other)
        belongings = Belongings(self._reader, self._keys, self._spool, surveyed, vouching)
        scope = self._scope(wanted, surveyed, packer)
        belongings.add_ledger(packer.later, teller)
        missing = belongings.add_objects([*_files_of(surveyed), *packer.objects])
        if wanted.sample_count:
            belongings.add_samples(wanted.sample_count, wanted.nonce, packer.shown_indices())
        teller.finish()
        story = Story(book, teller.counts)
        outside = Outside(belongings.notes, belongings.stamps)
        return Material(scope, story, packer.shown_entries, belongings.marks, outside, wanted.controls), missing

    def _scope(self, wanted: Wanted, surveyed: Survey, packer: Packer) -> Scope:
        return Scope(
            origin=self._keys.origin,
            key_id=self._keys.verifier.key_id.hex(),
            start=surveyed.start.mark if surveyed.start else Mark(0, Frontier().root()),
            end=surveyed.end_mark,
            asked_from=wanted.asked[0],
            asked_to=wanted.asked[1],
            rules=surveyed.rules,
            selection=wanted.selection.words,
            withheld_count=packer.withheld_count,
            controls=wanted.control_ids,
        )

    def _derive(self, material: Material) -> None:
        self._meter.say("writing the reports")
        for name, pieces in derive_tables(material):
            self._spool.add(name, pieces)
        self._meter.say("writing the pages")
        for name, pieces in derive_pages(material, self._spool.members):
            self._spool.add(name, pieces)


def _files_of(surveyed: Survey) -> Sequence[str]:
    return [digest for files in surveyed.rules.values() for digest in files.values()]
