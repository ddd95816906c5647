"""What a forger can do: take a package apart, change files, and put it together with everything but the key."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast.evidence.files import manifest, payloads, shelf, sshsig
from holdfast.evidence.files.container import Package
from holdfast.evidence.files.scope import parse_scope
from holdfast.evidence.files.spool import Spool
from holdfast.ledger.note import VerifierKey

type Files = dict[str, bytes]


def unpack(package: Path) -> Files:
    with package.open("rb") as file:
        opened = Package(file)
        return {name: opened.read(name) for name in opened.names()}


def pack(files: Files, out: Path) -> Path:
    with Spool(out.parent) as spool:
        for name, data in files.items():
            spool.add(name, data)
        spool.write(out)
    return out


def with_sums(files: Files) -> Files:
    """The same with SHA256SUMS made anew, which takes no key."""
    signed = {manifest.FILE, manifest.SUMS_FILE, manifest.SUMS_SIGNATURE_FILE}
    others = {name: data for name, data in files.items() if name not in signed}
    sums = manifest.sums({name: hashlib.sha256(data).hexdigest() for name, data in others.items()})
    kept = {name: files[name] for name in (manifest.FILE, manifest.SUMS_SIGNATURE_FILE)}
    return others | {manifest.SUMS_FILE: sums} | kept


def resigned(files: Files, private: Ed25519PrivateKey, origin: str) -> Files:
    """The same with sums and manifest made anew by whoever has ``private``."""
    files = with_sums(files)
    public = private.public_key().public_bytes_raw()
    files |= {manifest.SUMS_SIGNATURE_FILE: sshsig.sign(files[manifest.SUMS_FILE], public, private.sign)}
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != manifest.FILE}
    payload = manifest.statement(digests, parse_scope(files["AuditInfo.json"]))
    key = VerifierKey(origin, public)
    return files | {manifest.FILE: manifest.sign(payload, key, private.sign)}


def lines(files: Files) -> list[bytes]:
    name = shelf.file_name(0)
    return shelf.unpack(name, files[name])


def with_lines(files: Files, change: Callable[[list[bytes]], list[bytes]]) -> Files:
    """The same with other Records in its first file."""
    return files | {shelf.file_name(0): shelf.pack(change(lines(files)))}


def payload_lines(files: Files) -> list[bytes]:
    return gzip.decompress(files[payloads.file_name(0)]).splitlines()


def with_payload_lines(files: Files, changed: list[bytes]) -> Files:
    """The same with other payloads in its first file."""
    return files | {payloads.file_name(0): gzip.compress(b"".join(line + b"\n" for line in changed), mtime=0)}


def edited(line: bytes, **members: object) -> bytes:
    body = json.loads(line) | members
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
