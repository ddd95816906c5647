"""Labelled texts: what a data set says is regulated, read from the forms in which public ones come.

Three forms, told apart by what is in the file:

- a JSON array of ``{"full_text": …, "spans": [{"entity_type", "start_position", "end_position"}, …]}``, as
  presidio-research makes them;
- JSON lines of ``{"text": …, "annotations": [{"entity_type", "start", "end"}, …]}``, as pii-anon-eval-data has them,
  where only lines with ``"language": "en"`` are read;
- a folder: every text file in it counts as clean, so that whatever is masked there is masked too much.

A file whose name ends in ``.gz`` is unpacked.
"""

import dataclasses
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast import jsontext
from holdfast.errors import RulesError
from holdfast.jsontext import Json

FILE_BYTES_MAX: Final = 256 * 1024 * 1024  # a data set is read whole
CLEAN_CHARS_MAX: Final = 100_000  # of one file of a folder; a text longer than that is cut
# What public data sets call what Presidio calls otherwise.
_NAMES: Final = {
    "SOCIAL_SECURITY_NUMBER": "US_SSN",
    "BANK_ACCOUNT_NUMBER": "US_BANK_NUMBER",
    "CREDIT_CARD_NUMBER": "CREDIT_CARD",
    "IBAN": "IBAN_CODE",
    "DRIVERS_LICENSE": "US_DRIVER_LICENSE",
    "DRIVER_LICENSE": "US_DRIVER_LICENSE",
    "PASSPORT_NUMBER": "US_PASSPORT",
    "PERSON_NAME": "PERSON",
    "MEDICAL_RECORD_NUMBER": "MEDICAL_RECORD",
    "CRYPTO_WALLET": "CRYPTO",
    "STREET_ADDRESS": "ADDRESS",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Label:
    """The characters from ``start`` up to ``end`` are of the kind ``entity``."""

    start: int
    end: int
    entity: str


@dataclasses.dataclass(frozen=True, slots=True)
class Labelled:
    """One text and its labels; a text of a clean corpus has none."""

    text: str
    labels: tuple[Label, ...]


def read_labelled(path: Path) -> list[Labelled]:
    """The texts of the data set at ``path``.

    Raises:
        RulesError: missing, too large, or in no form that is known; names the file and the line.
    """
    if path.is_dir():
        return [Labelled(text, ()) for text in _clean(path)]
    try:
        data = path.read_bytes()
        data = gzip.decompress(data) if path.suffix == ".gz" else data
    except OSError as error:
        reason = error.strerror or "not gzip"
        raise RulesError(path.name, 1, f"cannot be read: {reason}", f"Name a data set, not {path}") from None
    if len(data) > FILE_BYTES_MAX:
        raise RulesError(path.name, 1, f"has more than {FILE_BYTES_MAX} bytes", "Cut it")
    if data.lstrip()[:1] == b"[":
        value = _json(path, 1, data)
        entries = value if isinstance(value, list) else []
        return [found for number, entry in enumerate(entries, 1) if (found := _text_of(path, number, entry))]
    lines = data.splitlines()
    read = (_text_of(path, number, _json(path, number, line)) for number, line in enumerate(lines, 1) if line.strip())
    return [one for one in read if one is not None]


def _clean(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                yield path.read_text("utf-8")[:CLEAN_CHARS_MAX]
            except (OSError, UnicodeDecodeError):
                continue  # no text


def _json(path: Path, line: int, data: bytes) -> Json:
    try:
        return jsontext.parse(data)
    except jsontext.JsonError as error:
        raise RulesError(path.name, line, f"is no JSON: {error}", "Name a data set in a form that docs list") from None


def _text_of(path: Path, number: int, entry: Json) -> Labelled | None:
    if not isinstance(entry, dict):
        raise RulesError(path.name, number, "an entry is no object", "See docs/masking.md for the forms")
    if entry.get("language", "en") != "en":
        return None
    text = entry.get("full_text", entry.get("text"))
    spans = entry.get("spans", entry.get("annotations"))
    if not isinstance(text, str) or not isinstance(spans, list):
        raise RulesError(path.name, number, "an entry has no text or no labels", "See docs/masking.md for the forms")
    return Labelled(text, tuple(_label(path, number, span) for span in spans))


def _label(path: Path, number: int, span: Json) -> Label:
    if isinstance(span, dict):
        start, end = (span.get(f"{name}_position", span.get(name)) for name in ("start", "end"))
        entity = span.get("entity_type")
        if isinstance(start, int) and isinstance(end, int) and isinstance(entity, str) and 0 <= start < end:
            return Label(start, end, _NAMES.get(entity, entity))
    raise RulesError(path.name, number, "a label names no span", "See docs/masking.md for the forms")
