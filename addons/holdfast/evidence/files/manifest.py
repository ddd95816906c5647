"""What a package holds, signed by the ledger's key.

`MANIFEST.dsse.json` is an in-toto Statement v1 in a DSSE envelope; its subjects are all other files with their SHA-256.
`SHA256SUMS` says the same for `sha256sum -c`.

Sources: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md and
https://github.com/secure-systems-lab/dsse. Standard library only.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Final

from holdfast import jsontext
from holdfast.approval.dsse import pae
from holdfast.errors import EvidenceError
from holdfast.evidence.files.scope import FORMAT, Scope
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger import note

FILE: Final = "MANIFEST.dsse.json"
SUMS_FILE: Final = "SHA256SUMS"
SUMS_SIGNATURE_FILE: Final = "SHA256SUMS.sig"
PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"  # in-toto attestation, envelope layer
STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE: Final = "urn:holdfast:evidence:v1"


def sums(digests: dict[str, str]) -> bytes:
    """`SHA256SUMS` over ``digests`` (hex by name)."""
    return "".join(f"{digests[name]}  {name}\n" for name in sorted(digests)).encode("ascii")


def statement(digests: dict[str, str], scope: Scope) -> bytes:
    """The in-toto statement: every file of the package but the manifest itself, and what the package is about."""
    subjects: list[Json] = [{"name": name, "digest": {"sha256": digests[name]}} for name in sorted(digests)]
    predicate: JsonObject = {
        "format": FORMAT,
        "origin": scope.origin,
        "start": {"size": scope.start.size, "root": scope.start.root_text},
        "end": {"size": scope.end.size, "root": scope.end.root_text},
    }
    return jsontext.canonical(
        {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE, "predicate": predicate}
    )


def sign(payload: bytes, key: note.VerifierKey, signer: Callable[[bytes], bytes]) -> bytes:
    """The envelope around ``payload``, as canonical JSON."""
    signature = signer(pae(PAYLOAD_TYPE, payload))
    return _envelope(payload, key.key_id.hex(), signature)


def _envelope(payload: bytes, key_id: str, signature: bytes) -> bytes:
    signatures: list[Json] = [{"keyid": key_id, "sig": base64.b64encode(signature).decode("ascii")}]
    encoded = base64.b64encode(payload).decode("ascii")
    return jsontext.canonical({"payload": encoded, "payloadType": PAYLOAD_TYPE, "signatures": signatures}) + b"\n"


def check(data: bytes, digests: dict[str, str], scope: Scope, key: note.VerifierKey, verify: note.Verify) -> None:
    """Return if ``data`` is ``key``'s signature over exactly these files and this scope.

    Raises:
        EvidenceError: another key, a signature that does not hold, or the first file that differs, by name.
    """
    payload, key_id, signature = _open(data)
    if key_id != key.key_id.hex():
        raise EvidenceError(f"{FILE}: signed by the key {key_id:.16}, not by the trusted key {key.key_id.hex()}")
    if not verify(key.public, pae(PAYLOAD_TYPE, payload), signature):
        raise EvidenceError(f"{FILE}: the signature of the ledger's key does not hold")
    listed = _subjects(payload)
    # SHA256SUMS last: whoever changes a file changes it too, and the file is what a reader wants to hear of.
    for name in sorted(listed.keys() | digests.keys(), key=lambda name: (name == SUMS_FILE, name)):
        if name not in digests:
            raise EvidenceError(f"{name}: missing from the package; the signed manifest lists it")
        if name not in listed:
            raise EvidenceError(f"{name}: not listed in the signed manifest")
        if listed[name] != digests[name]:
            raise EvidenceError(f"{name}: its SHA-256 is not the one in the signed manifest")
    if payload != statement(digests, scope):
        raise EvidenceError(f"{FILE}: it speaks of other checkpoints than AuditInfo.json does")


def _subjects(payload: bytes) -> dict[str, str]:
    listed: dict[str, str] = {}
    try:
        value = jsontext.parse(payload)
    except jsontext.JsonError:
        value = None
    subjects = value.get("subject") if isinstance(value, dict) else None
    for item in subjects if isinstance(subjects, list) else []:
        match item:
            case {"name": str(name), "digest": {"sha256": str(digest_hex)}}:
                listed[name] = digest_hex
            case _:
                raise EvidenceError(f"{FILE}: a subject is no file with a SHA-256")
    return listed


def _open(data: bytes) -> tuple[bytes, str, bytes]:
    try:
        value = jsontext.parse(data)
    except jsontext.JsonError:
        raise EvidenceError(f"{FILE}: not JSON") from None
    match value:
        case {"payload": str(payload), "signatures": [{"keyid": str(key_id), "sig": str(signature)}]}:
            pass
        case _:
            raise EvidenceError(f"{FILE}: no DSSE envelope with one signature")
    try:
        parts = base64.b64decode(payload, validate=True), key_id, base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        raise EvidenceError(f"{FILE}: base64 that does not decode") from None
    # One spelling only, as everywhere.
    if _envelope(*parts) != data:
        raise EvidenceError(f"{FILE}: not in canonical form, or of another type")
    return parts
