"""Rows of the reports about the log itself: scope, changes, gaps, access to the log, integrity."""

from collections.abc import Iterator, Sequence
from typing import Final

from holdfast.evidence.files.scope import Scope
from holdfast.evidence.files.times import time_text
from holdfast.evidence.story.integrity import INTEGRITY_COLUMNS, integrity_rows
from holdfast.evidence.tables.material import Material

type Row = Sequence[object]

SCOPE: Final = ("item", "value", "source")
CHANGES: Final = (
    "index", "at", "kind", "what", "change", "digest", "previous_digest", "ruleset_digest", "by", "reason",
)  # fmt: skip
GAPS: Final = ("kind", "from_index", "to_index", "from_at", "to_at", "seconds", "note")
ACCESS: Final = ("index", "at", "kind", "what", "by", "basis", "reason", "concerns_records")
INTEGRITY: Final = INTEGRITY_COLUMNS


def scope(material: Material) -> Iterator[Row]:
    """What the package is about, line by line."""
    yield from _of_package(material.scope)
    yield from _of_records(material)


def _of_package(scope: Scope) -> Iterator[Row]:
    info = "AuditInfo.json"
    yield "ledger", scope.origin, info
    yield "key of the ledger (id)", scope.key_id, info
    yield "asked from", scope.asked_from or "the beginning", info
    yield "asked to (not included)", scope.asked_to or "the newest Record", info
    yield "withheld, as asked", "; ".join(scope.selection) or "nothing", info
    yield "controls asked for", ", ".join(scope.controls) or "all", info
    yield "first Record", scope.start.size, info
    yield "last Record", scope.end.size - 1, info
    yield "Records in the range", scope.end.size - scope.start.size, info
    yield "checkpoint at the start", f"size {scope.start.size}, root {scope.start.root_text}", "ledger/range-start.txt"
    yield "checkpoint at the end", f"size {scope.end.size}, root {scope.end.root_text}", "ledger/checkpoint.end"
    yield "package made with", f"Holdfast {scope.built_with}", info


def _of_records(material: Material) -> Iterator[Row]:
    story, source = material.story, "every Record shown"
    yield "Records shown", story.count, "ledger/entries-*.jsonl.gz"
    yield "Records withheld", story.withheld_count, "ledger/withheld.txt"
    yield "first time", time_text(story.first_at) if story.first_at else "", source
    yield "last time", time_text(story.last_at) if story.last_at else "", source
    yield "versions of the gateway", ", ".join(story.versions), source
    for engine in story.engines:
        yield "engine that masking finds with", engine, "Records rules.loaded"
    yield "masked payloads shown", story.payloads_count - story.erased_count, "payloads/"
    yield "masked payloads erased", story.erased_count, "payloads/, 10-log-access"
    for digest in story.rules_seen:
        yield "rules in force", digest, "08-changes, objects/"
    for typ, count in story.types.items():
        yield f"Records of type {typ}", count, source
    for entity, count in story.findings.items():
        yield f"findings of {entity}", count, source


def changes(material: Material) -> Iterator[Row]:
    """One row for each thing that came into force."""
    for fact in material.story.changes():
        yield (
            fact.index, time_text(fact.at), fact.kind, fact.what, fact.change, fact.digest, fact.previous, fact.ruleset,
            fact.by, fact.reason,
        )  # fmt: skip


def gaps(material: Material) -> Iterator[Row]:
    """One row for each gap."""
    for gap in material.story.gaps():
        yield (
            gap.kind, gap.from_index, gap.to_index, time_text(gap.from_at), time_text(gap.to_at), f"{gap.seconds:.3f}",
            gap.note,
        )  # fmt: skip


def access(material: Material) -> Iterator[Row]:
    """One row for each thing done to the log, and for each payload that was erased."""
    for fact in material.story.accesses():
        concerns = " ".join(map(str, fact.concerns))
        yield fact.index, time_text(fact.at), fact.kind, fact.what, fact.by, fact.basis, fact.reason, concerns


def integrity(material: Material) -> Iterator[Row]:
    """One row for each checkpoint, each vouching for it, and each window without."""
    return integrity_rows(material)
