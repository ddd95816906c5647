"""Which gateway this is: its version, and a digest of the code that runs."""

import hashlib
from pathlib import Path

from holdfast import __version__

VERSION = __version__


def code_digest_hex() -> str:
    """SHA-256 over the names and bytes of the gateway's own source files, in order of name; 64 hex digits.

    It tells two gateways of one version apart, when somebody changed a line. It does not prove what ran: a process that
    lies about its code can lie about its digest.
    """
    folder = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for path in sorted([*folder.rglob("*.py"), folder.parent / "gateway.py"]):
        data = path.read_bytes() if path.exists() else b""
        name = path.relative_to(folder.parent).as_posix().encode()
        digest.update(len(name).to_bytes(4, "big") + name + len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
