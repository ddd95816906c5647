"""The files of a package that are the same for every range, and the signatures over all of it."""

import functools
from collections.abc import Callable
from typing import Any, Final

from holdfast.evidence.control import controls
from holdfast.evidence.files import fingerprints, manifest, sshsig
from holdfast.evidence.files.scope import Scope
from holdfast.evidence.files.spool import Spool
from holdfast.evidence.making.guide import GUIDE
from holdfast.ledger import note

ALLOWED_SIGNERS: Final = "trust/allowed_signers"


def fixed(scope: Scope, key: note.VerifierKey) -> dict[str, bytes]:
    """Name and bytes of what follows from the key and this version alone."""
    return {
        "trust/log.vkey": key.to_text().encode() + b"\n",
        "trust/log.pub.pem": fingerprints.public_pem(key.public),
        "trust/fingerprints.txt": fingerprints.text(key),
        ALLOWED_SIGNERS: sshsig.allowed_signers(scope.origin, key.public),
        "VERIFY.md": GUIDE,
    }


def add_fixed(spool: Spool, scope: Scope, key: note.VerifierKey, frameworks: tuple[Any, ...]) -> None:
    """Put them in, with the verifier, the description and the frameworks."""
    for name, data in fixed(scope, key).items():
        spool.add(name, data)
    spool.add("verify.py", _verifier())
    spool.add("AuditInfo.json", scope.as_json())
    for framework in frameworks:
        spool.add(f"controls/{framework.id}.json", controls.as_json(framework))


@functools.cache
def _verifier() -> bytes:
    """`verify.py`: the same for the life of a process, and a second's work."""
    from holdfast.evidence.making import standalone  # noqa: PLC0415 -- verify.py holds this module, not the one that makes it

    return standalone.source()


def seal(spool: Spool, scope: Scope, key: note.VerifierKey, sign: Callable[[bytes], bytes]) -> None:
    """Sign what is there: SHA256SUMS with its SSH signature, and the manifest over both."""
    sums = manifest.sums(spool.digests())
    spool.add(manifest.SUMS_FILE, sums)
    spool.add(manifest.SUMS_SIGNATURE_FILE, sshsig.sign(sums, key.public, sign))
    spool.add(manifest.FILE, manifest.sign(manifest.statement(spool.digests(), scope), key, sign))
