"""DSSE envelopes: a payload, its type, and one signature over both.

Format: https://github.com/secure-systems-lab/dsse (protocol and envelope, v1). Only one spelling of an envelope is
read: canonical JSON, standard base64 with padding, exactly one signature. Standard library only, so that a verifier of
evidence can use it as it is.
"""

import base64
import binascii
import dataclasses
from collections.abc import Callable
from typing import Final

from holdfast import jsontext
from holdfast.errors import ApprovalError
from holdfast.jsontext import Json

MEDIA_TYPE: Final = "application/vnd.dsse.envelope.v1+json"
ENVELOPE_BYTES_MAX: Final = 32 * 1024  # a statement has at most 16 KiB; base64 adds a third
_SIGNATURE_BYTES: Final = 64  # Ed25519, RFC 8032 5.1.6

type Verify = Callable[[bytes, bytes, bytes], bool]
"""``verify(public key of 32 bytes, message, signature of 64 bytes)``: whether the Ed25519 signature holds."""


def pae(payload_type: str, payload: bytes) -> bytes:
    """The bytes that are signed: DSSE's pre-authentication encoding of type and payload."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


@dataclasses.dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with its type and one signature. ``key_id`` is a hint that nothing vouches for."""

    payload_type: str
    payload: bytes
    key_id: str
    signature: bytes

    def to_bytes(self) -> bytes:
        """The envelope as canonical JSON."""
        signature: Json = {"keyid": self.key_id, "sig": _encode64(self.signature)}
        return jsontext.canonical(
            {"payload": _encode64(self.payload), "payloadType": self.payload_type, "signatures": [signature]}
        )

    def check(self, payload_type: str, public: bytes, verify: Verify) -> None:
        """Return if the signature of ``public`` covers this payload as ``payload_type``.

        Raises:
            ApprovalError: another type, or the signature does not hold.
        """
        if self.payload_type != payload_type:
            raise ApprovalError("the envelope holds something else than an approval statement")
        if not verify(public, pae(self.payload_type, self.payload), self.signature):
            raise ApprovalError("the signature does not hold")


def parse_envelope(data: bytes) -> Envelope:
    """The envelope that ``data`` spells in the one permitted way.

    Raises:
        ApprovalError: too large, not canonical JSON, unknown or missing members, or not one Ed25519 signature.
    """
    if len(data) > ENVELOPE_BYTES_MAX:
        raise ApprovalError(f"the envelope has more than {ENVELOPE_BYTES_MAX} bytes")
    try:
        value = jsontext.parse(data)
    except jsontext.JsonError as error:
        raise ApprovalError(f"the envelope is no JSON: {error}") from None
    envelope = _envelope(value)
    # One spelling only: two texts for one envelope would be two ledger payloads for one decision.
    if envelope.to_bytes() != data:
        raise ApprovalError("the envelope is not spelled canonically")
    return envelope


def _envelope(value: Json) -> Envelope:
    if not isinstance(value, dict):
        raise ApprovalError("the envelope is no JSON object")
    match value:
        case {
            "payload": str(payload),
            "payloadType": str(payload_type),
            "signatures": [{"keyid": str(key_id), "sig": str(signature)}],
        }:
            envelope = Envelope(payload_type, _decode64(payload), key_id, _decode64(signature))
        case _:
            raise ApprovalError("the envelope has not exactly payload, payloadType and one signature")
    if len(envelope.signature) != _SIGNATURE_BYTES:
        raise ApprovalError("the signature is no Ed25519 signature of 64 bytes")
    return envelope


def _encode64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ApprovalError("the envelope holds base64 that does not decode") from None
