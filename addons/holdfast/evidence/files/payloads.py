"""Masked payloads in a package: `payloads/payloads-*.jsonl.gz`, one for each file of Records, one line per payload.

Lines stand in the order of Records, and within a Record in the order req, res, view, statement. A payload that was
erased has a line too, which names the `payload.erased` Record. Withheld Records have none.
"""

import base64
import binascii
import dataclasses
import hmac
import json
import re
from collections.abc import Iterator
from json.encoder import encode_basestring as _spelled
from typing import Final

from holdfast import jsontext
from holdfast.errors import EvidenceError
from holdfast.evidence.files.container import Package
from holdfast.evidence.files.gz import lines_in
from holdfast.ledger import record

SMALL_BYTES: Final = 1024 * 1024  # what is nested in so little takes little memory
# A few texts and numbers: parsed, a line of nothing but brackets takes fifty times its size.
_FLAT: Final = re.compile(rb'\{(?:"(?:[^"\\]++|\\.)*+"[:,]?|[0-9]++){0,12}+\}', re.DOTALL)
LINE_BYTES_MAX: Final = 128 * 1024 * 1024  # a payload of 16 MiB of which every character needs an escape


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """A masked payload with the key that opens its commitment."""

    content_type: str
    key: bytes = dataclasses.field(repr=False)
    data: bytes = dataclasses.field(repr=False)

    def text(self) -> str | None:
        """The payload as text; None where it is none."""
        try:
            return self.data.decode("utf-8", "strict")
        except UnicodeDecodeError:
            return None


@dataclasses.dataclass(frozen=True, slots=True)
class Erased:
    """A payload that is gone, and the index of the `payload.erased` Record that says so."""

    by_index: int


def file_name(first_index: int) -> str:
    """The file for the Records from ``first_index`` on."""
    return f"payloads/payloads-{first_index:012}.jsonl.gz"


def as_line(commitment: str, payload: Opened | Erased) -> bytes:
    """The line, without its line feed: readable where the payload is text."""
    if isinstance(payload, Erased):
        return jsontext.canonical({"c": commitment, "erased": payload.by_index})
    text = payload.text()
    # The members in the order of canonical JSON, each spelled as there.
    raw = "" if text is not None else f'"base64":"{base64.b64encode(payload.data).decode("ascii")}",'
    read = "" if text is None else f',"text":{_spelled(text)}'
    key = base64.b64encode(payload.key).decode("ascii")
    line = f'{{{raw}"c":{_spelled(commitment)},"ct":{_spelled(payload.content_type)},"key":"{key}"{read}}}'
    return line.encode("utf-8")


def parse_line(line: bytes, commitment: str, size: int) -> Opened | Erased:
    """The payload in ``line``, checked against what a Record says about it.

    Raises:
        EvidenceError: not such a line, or the payload is not the one that the Record committed to.
    """
    if len(line) > SMALL_BYTES and _FLAT.fullmatch(line) is None:
        raise EvidenceError("the next payload is not the one of this Record")
    payload: Opened | Erased | None = _read(line, commitment)
    if payload is None:
        # What is wrong with it, the strict parser says.
        payload = _parse(line, commitment)
        if as_line(commitment, payload) != line:
            raise EvidenceError("the payload's line is not in canonical form")
    if isinstance(payload, Erased):
        return payload
    if not hmac.compare_digest(record.commit(payload.key, payload.content_type, payload.data), commitment):
        raise EvidenceError("the payload is not the one that was committed to")
    if len(payload.data) != size:
        raise EvidenceError(f"the payload has {len(payload.data)} bytes, where the Record says {size}")
    return payload


def _read(line: bytes, commitment: str) -> Opened | None:
    """The payload in a line that is in canonical form, as most are; None where only :func:`_parse` can tell."""
    try:
        members = json.loads(line.decode("utf-8"))
        data, key = members["text"].encode("utf-8"), base64.b64decode(members["key"], validate=True)
        payload = Opened(members["ct"], key, data)
        # Whatever else may be in the line: it is these four texts, spelled once.
        return payload if as_line(commitment, payload) == line else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _parse(line: bytes, commitment: str) -> Opened | Erased:
    try:
        match jsontext.parse(line):
            case {"c": str(stated), "erased": int(index)} if stated == commitment and not isinstance(index, bool):
                return Erased(index)
            case {"c": str(stated), "ct": str(ct), "key": str(key), "text": str(text)} if stated == commitment:
                return Opened(ct, base64.b64decode(key, validate=True), text.encode("utf-8"))
            case {"c": str(stated), "ct": str(ct), "key": str(key), "base64": str(raw)} if stated == commitment:
                return Opened(ct, base64.b64decode(key, validate=True), base64.b64decode(raw, validate=True))
            case _:
                pass
    except (jsontext.JsonError, binascii.Error, ValueError):
        pass
    raise EvidenceError("the next payload is not the one of this Record")


class Bundles:
    """The payloads of a package, taken in the order of its Records."""

    def __init__(self, package: Package) -> None:
        self._package: Final = package
        self._lines: Iterator[bytes] = iter(())
        self._name = ""

    def open(self, first_index: int) -> None:
        """Go on with the file for the Records from ``first_index`` on; the one before must be used up.

        Raises:
            EvidenceError: it is not.
        """
        self.finish()
        self._name = file_name(first_index)
        self._lines = lines_in(self._name, self._package.chunks(self._name), LINE_BYTES_MAX)

    def take(self, index: int, commitment: str, size: int) -> Opened | Erased:
        """The next payload, which is that of Record ``index``.

        Raises:
            EvidenceError: it is not; names file and Record.
        """
        line = next(self._lines, None)
        if line is None:
            raise EvidenceError(f"{self._name}: ends before the payload of record {index}")
        try:
            return parse_line(line, commitment, size)
        except EvidenceError as error:
            raise EvidenceError(f"{self._name}: record {index}: {error}") from None

    def finish(self) -> None:
        """After the last payload.

        Raises:
            EvidenceError: there are more.
        """
        if next(self._lines, None) is not None:
            raise EvidenceError(f"{self._name}: holds a payload that no Record commits to")
