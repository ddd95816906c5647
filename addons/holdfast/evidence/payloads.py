"""Masked payloads in a package: `payloads/<commitment>.json`, one for each commitment in its Records."""

import base64
import binascii
import dataclasses
import hmac

from holdfast import jsontext
from holdfast.errors import EvidenceError
from holdfast.jsontext import JsonObject
from holdfast.ledger import record

_PREFIX = "hmac-sha256:"


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


def file_name(commitment: str) -> str:
    """The file of the payload that ``commitment`` (``hmac-sha256:`` and hex) opens to."""
    return f"payloads/{commitment.removeprefix(_PREFIX)}.json"


def as_json(commitment: str, payload: Opened | None) -> bytes:
    """The file: readable where the payload is text; a note where it has been erased."""
    if payload is None:
        return jsontext.canonical({"c": commitment, "erased": True}) + b"\n"
    body: JsonObject = {
        "c": commitment,
        "ct": payload.content_type,
        "key": base64.b64encode(payload.key).decode("ascii"),
    }
    text = payload.text()
    body |= {"base64": base64.b64encode(payload.data).decode("ascii")} if text is None else {"text": text}
    return jsontext.canonical(body) + b"\n"


def parse(name: str, data: bytes, commitment: str, size: int) -> Opened | None:
    """The payload in the file ``name``; None where it says that the payload was erased.

    Args:
        name: for messages.
        data: the file.
        commitment: what a Record says.
        size: bytes of the payload, as the Record says.

    Raises:
        EvidenceError: not such a file, or the payload is not the one that the Record committed to.
    """
    payload = _parse(name, data, commitment)
    if as_json(commitment, payload) != data:
        raise EvidenceError(f"{name}: not in canonical form")
    if payload is None:
        return None
    if not hmac.compare_digest(record.commit(payload.key, payload.content_type, payload.data), commitment):
        raise EvidenceError(f"{name}: the payload is not the one that was committed to")
    if len(payload.data) != size:
        raise EvidenceError(f"{name}: {len(payload.data)} bytes, where the Record says {size}")
    return payload


def _parse(name: str, data: bytes, commitment: str) -> Opened | None:
    try:
        value = jsontext.parse(data)
    except jsontext.JsonError:
        raise EvidenceError(f"{name}: not JSON") from None
    try:
        match value:
            case {"c": str(stated), "erased": True} if stated == commitment:
                return None
            case {"c": str(stated), "ct": str(ct), "key": str(key), "text": str(text)} if stated == commitment:
                return Opened(ct, base64.b64decode(key, validate=True), text.encode("utf-8"))
            case {"c": str(stated), "ct": str(ct), "key": str(key), "base64": str(raw)} if stated == commitment:
                return Opened(ct, base64.b64decode(key, validate=True), base64.b64decode(raw, validate=True))
    except (binascii.Error, ValueError):
        pass
    raise EvidenceError(f"{name}: not the payload file of that commitment")
