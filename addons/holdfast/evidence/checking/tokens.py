"""The time that a time stamp of RFC 3161 states, read without checking it. Standard library only.

A TimeStampResp holds, deep inside, the octets of a TSTInfo (RFC 3161 2.4.2) after the object identifier of its type.
"""

import datetime as dt
import re
from typing import Final

from holdfast.errors import EvidenceError

_TST_INFO: Final = bytes.fromhex("060b2a864886f70d0109100104")  # id-ct-TSTInfo, 1.2.840.113549.1.9.16.1.4
_OCTETS, _INTEGER, _OID, _SEQUENCE, _TIME, _EXPLICIT = 0x04, 0x02, 0x06, 0x30, 0x18, 0xA0
_GENERALIZED: Final = re.compile(rb"([0-9]{14})(?:\.[0-9]{1,9})?Z")


def stated_time(token: bytes) -> dt.datetime:
    """When ``token``, a DER TimeStampResp, says that it was made; to the second, as its checkers give it.

    Raises:
        EvidenceError: it is no such token.
    """
    place = token.find(_TST_INFO)
    if place < 0:
        raise EvidenceError("it holds no time stamp")
    try:
        wrapped, _ = _take(token, place + len(_TST_INFO), _EXPLICIT)
        octets, _ = _take(wrapped, 0, _OCTETS)
        info, _ = _take(octets, 0, _SEQUENCE)
        at = 0
        for tag in (_INTEGER, _OID, _SEQUENCE, _INTEGER):  # version, policy, messageImprint, serialNumber
            _, at = _take(info, at, tag)
        text, _ = _take(info, at, _TIME)
    except (IndexError, ValueError):
        raise EvidenceError("it is no time stamp") from None
    match = _GENERALIZED.fullmatch(text)
    if match is None:
        raise EvidenceError("its time is none")
    try:
        return dt.datetime.strptime(match[1].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)
    except ValueError:
        raise EvidenceError("its time is none") from None


def _take(data: bytes, at: int, tag: int) -> tuple[bytes, int]:
    """The content of the element at ``at``, and where the next one begins."""
    if data[at] != tag:
        raise ValueError
    size, at = data[at + 1], at + 2
    if size >= 0x80:  # noqa: PLR2004 -- X.690 8.1.3.5: so many bytes of length follow
        count = size & 0x7F
        size, at = int.from_bytes(data[at : at + count], "big"), at + count
    content = data[at : at + size]
    if len(content) != size:
        raise ValueError
    return content, at + size
