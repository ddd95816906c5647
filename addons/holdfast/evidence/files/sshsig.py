"""Signatures that `ssh-keygen -Y verify` checks: SSHSIG over Ed25519. Standard library only.

Every auditor's machine has ssh-keygen; so `SHA256SUMS` of a package carries such a signature by the ledger's key.

Source: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.sshsig, and RFC 4251 section 5 for the strings
in it. Reading is strict: what is accepted comes out byte for byte the same when written again.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from typing import Final

from holdfast.errors import EvidenceError
from holdfast.ledger import ed25519

NAMESPACE: Final = "holdfast-evidence"  # so that no signature made for another purpose passes for one of these
SIGNATURE_BYTES_MAX: Final = 4096  # ours have about 300
_MAGIC: Final = b"SSHSIG"
_VERSION: Final = (1).to_bytes(4, "big")
_HASH: Final = b"sha512"
_KEY_TYPE: Final = b"ssh-ed25519"
_BEGIN: Final = "-----BEGIN SSH SIGNATURE-----\n"
_END: Final = "\n-----END SSH SIGNATURE-----\n"
_LINE_CHARS: Final = 70  # as ssh-keygen wraps
# allowed_signers(5): principals are patterns in a list, so none may hold a sign that means something there.
_PRINCIPAL: Final = re.compile(r"[A-Za-z0-9._~@/:-]{1,255}")


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def _key_blob(public: bytes) -> bytes:
    return _string(_KEY_TYPE) + _string(public)


def _message(data: bytes, namespace: str) -> bytes:
    # PROTOCOL.sshsig, Signed Data: the namespace and the hash's name are signed with the hash.
    hashed = hashlib.sha512(data).digest()
    return _MAGIC + _string(namespace.encode()) + _string(b"") + _string(_HASH) + _string(hashed)


def _armored(public: bytes, namespace: str, signature: bytes) -> bytes:
    inner = _string(_KEY_TYPE) + _string(signature)
    fields = (_key_blob(public), namespace.encode(), b"", _HASH, inner)
    blob = _MAGIC + _VERSION + b"".join(_string(field) for field in fields)
    text = base64.b64encode(blob).decode("ascii")
    lines = "\n".join(text[at : at + _LINE_CHARS] for at in range(0, len(text), _LINE_CHARS))
    return (_BEGIN + lines + _END).encode("ascii")


def sign(data: bytes, public: bytes, sign: Callable[[bytes], bytes], namespace: str = NAMESPACE) -> bytes:
    """The armored signature over ``data``, as a file `….sig` holds it.

    Args:
        data: the bytes of the file.
        public: the signer's Ed25519 key, 32 bytes.
        sign: turns message bytes into the key's 64 bytes.
        namespace: what the signature is for.
    """
    return _armored(public, namespace, sign(_message(data, namespace)))


def parse(armored: bytes) -> tuple[bytes, str, bytes]:
    """Public key, namespace and signature (64 bytes) in an armored signature. Nothing is verified yet.

    Raises:
        EvidenceError: not an SSH signature of an Ed25519 key over SHA-512, or not in its one spelling.
    """
    text = armored[:SIGNATURE_BYTES_MAX].decode("ascii", "replace")
    if len(armored) > SIGNATURE_BYTES_MAX or not (text.startswith(_BEGIN) and text.endswith(_END)):
        raise EvidenceError("not an armored SSH signature")
    try:
        blob = base64.b64decode(text[len(_BEGIN) : -len(_END)].replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        raise EvidenceError("an SSH signature is not base64") from None
    if not blob.startswith(_MAGIC + _VERSION):
        raise EvidenceError("an SSH signature is not of version 1")
    key_blob, namespace, _, hash_name, inner = _strings(blob[len(_MAGIC + _VERSION) :], 5)
    key_type, public = _strings(key_blob, 2)
    signature_type, signature = _strings(inner, 2)
    if (key_type, signature_type) != (_KEY_TYPE, _KEY_TYPE) or hash_name != _HASH:
        raise EvidenceError("an SSH signature is not Ed25519 over SHA-512")
    name = namespace.decode("ascii", "replace")
    if _armored(public, name, signature) != armored:
        raise EvidenceError("an SSH signature is not in its one spelling")
    return public, name, signature


def _strings(data: bytes, count: int) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise EvidenceError("an SSH signature is cut short")
        found.append(data[at + 4 : end])
        at = end
    if len(found) != count:
        raise EvidenceError(f"an SSH signature has {len(found)} fields where it should have {count}")
    return found


def verify(
    data: bytes,
    armored: bytes,
    public: bytes,
    namespace: str = NAMESPACE,
    check: Callable[[bytes, bytes, bytes], bool] = ed25519.verify,
) -> None:
    """Return if ``armored`` is the signature of ``public`` over ``data`` for this namespace.

    Raises:
        EvidenceError: it is not, or it is by another key or for another purpose.
    """
    signer, for_what, signature = parse(armored)
    if signer != public:
        raise EvidenceError(f"an SSH signature is by the key {fingerprint(signer)}, not by {fingerprint(public)}")
    if for_what != namespace:
        raise EvidenceError(f"an SSH signature is for another purpose than {namespace}")
    if not check(public, _message(data, namespace), signature):
        raise EvidenceError("an SSH signature does not hold")


def public_line(public: bytes) -> str:
    """The key as OpenSSH writes it: type and base64."""
    return f"ssh-ed25519 {base64.b64encode(_key_blob(public)).decode('ascii')}"


def allowed_signers(principal: str, public: bytes, namespace: str = NAMESPACE) -> bytes:
    """The file for `ssh-keygen -Y verify -f`: this key may sign as ``principal`` for ``namespace``, and no more.

    Raises:
        EvidenceError: the principal has a character that means something in such a file.
    """
    if _PRINCIPAL.fullmatch(principal) is None:
        raise EvidenceError("a principal of allowed_signers is letters, digits and . _ ~ @ / : -")
    return f'{principal} namespaces="{namespace}" {public_line(public)}\n'.encode("ascii")


def fingerprint(public: bytes) -> str:
    """The key's fingerprint as ssh-keygen prints it: `SHA256:` and base64 without padding."""
    digest = hashlib.sha256(_key_blob(public)).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")
