"""Ed25519 as fast as this machine can: OpenSSL's where its bindings are installed, else our own. Both answer alike."""

from holdfast.ledger import ed25519

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # a verifier may have the standard library only
    HAS_OPENSSL = False
else:
    HAS_OPENSSL = True


def verify_signature(public: bytes, message: bytes, signature: bytes) -> bool:
    """:func:`holdfast.ledger.ed25519.verify`, ten times as fast where OpenSSL is; the same answer for every input."""
    if not HAS_OPENSSL:
        return ed25519.verify(public, message, signature)
    if not ed25519.is_good_form(public, signature):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True
