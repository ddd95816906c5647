"""Pseudonyms in the form of the value: a mail address for a mail address, digits for digits.

Each form says how a mask is made and how it is known again. A mask is never somebody's value, as far as the form has
room for that: it lies in a range that is reserved or never given out, or fails the checksum. Sources stand beside each.

| entity | form | different masks |
|---|---|---|
| EMAIL_ADDRESS | 16 letters and digits of base32 at masked.example (RFC 2606: nobody's) | 2^50 |
| IP_ADDRESS | 240.0.0.0 to 254.255.255.255 (RFC 1112, reserved), 2001:db8::/32 (RFC 3849, documentation) | 10^6, 2^64 |
| MAC_ADDRESS | 02:…, locally administered (IEEE 802) | 2^24 |
| US_SSN, US_ITIN | 900 to 999 with a group of 00 to 49, never given out as either (SSA, IRS) | 5 * 10^7 |
| PHONE_NUMBER | +999 (no country, ITU E.164) and digits; 10 digits: 555-01xx (fiction, NANPA) | 10^8; 8 * 10^4 |
| CREDIT_CARD | digits that fail Luhn (ISO/IEC 7812) | 10^6 (12 digits) to 10^13 |
| IBAN_CODE | the country, check digits 00, which no account has (ISO 13616: 02 to 98) | 10^5 at least |
| any other | letters for letters, digits for digits, of 12 to 64 | 10^6 at least |
"""

import dataclasses
import ipaddress
import re
from collections.abc import Callable
from typing import Final

from holdfast.masking.checksums import luhn_holds
from holdfast.masking.drawing import (
    CHARS_MAX,
    CHARS_MIN,
    TAG_CHARS,
    Draw,
    compact,
    has_tag,
    laid_over,
    tagged,
)

type Make = Callable[[str, Draw, bytes], str | None]  # the value, what is drawn for it, the key; None: no room
type Known = Callable[[str, bytes], bool]

_BASE32: Final = "abcdefghijklmnopqrstuvwxyz234567"
_MAIL_CHARS: Final = 10
_MAIL: Final = re.compile(r"([a-z2-7]{10})([a-z2-7]{6})(?:@|%40)masked\.example", re.IGNORECASE)
_IP4_RANGE: Final = (240 << 24, 15 << 24)  # where it begins, and how many: netmasks (255.…) stay what they are
_IP4_TAG_BITS: Final = 8  # lists of made-up addresses have some of that range, which are no masks
_IP4_TAG: Final = (1 << _IP4_TAG_BITS) - 1
_IP6_PREFIX: Final = 0x20010DB8
_MAC: Final = re.compile(r"02([0-9A-F]{10})", re.IGNORECASE)
_MAC_TAG: Final = 1 << 16
_SSN_DIGITS: Final = 9
_NEVER_ISSUED: Final = re.compile(r"9\d\d[0-4]\d{5}")
_NANP_DIGITS: Final = 10
_FICTION: Final = re.compile(r"1?([2-9]\d\d)55501\d\d")
_NO_COUNTRY: Final = "999"
_IBAN_HEAD: Final = 4  # country and check digits
_IBAN_KNOWN: Final = re.compile(r"[A-Z]{2}00[A-Z0-9]{11,30}", re.IGNORECASE)
_CARD_DIGITS: Final = range(12, 20)


def form_of(entity: str) -> tuple[Make, Known]:
    """How masks of ``entity`` are made, and known again."""
    return _FORMS.get(entity, (_any, _is_any))


def _mail(value: str, draw: Draw, key: bytes) -> str | None:
    if "@" not in value and "%40" not in value:
        return None
    body = "".join(_BASE32[draw.below(len(_BASE32))] for _ in range(_MAIL_CHARS))
    return f"{body}{_mail_tag(body, key)}{'@' if '@' in value else '%40'}masked.example"


def _mail_tag(body: str, key: bytes) -> str:
    draw = Draw(key, b"holdfast/preserved/mail/v1\0", body)
    return "".join(_BASE32[draw.below(len(_BASE32))] for _ in range(TAG_CHARS))


def _is_mail(text: str, key: bytes) -> bool:
    match = _MAIL.fullmatch(text)
    return match is not None and _mail_tag(match[1].lower(), key) == match[2].lower()


def _address(value: str, draw: Draw, key: bytes) -> str | None:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return None
    if address.version == 4:  # noqa: PLR2004 -- as in IPv4
        first, count = _IP4_RANGE
        body = draw.below(count >> _IP4_TAG_BITS)
        return str(ipaddress.IPv4Address(first + (body << _IP4_TAG_BITS | _address_tag(body, key) & _IP4_TAG)))
    body = draw.below(1 << 64)
    return str(ipaddress.IPv6Address(_IP6_PREFIX << 96 | _address_tag(body, key) << 64 | body))


def _address_tag(body: int, key: bytes) -> int:
    return Draw(key, b"holdfast/preserved/address/v1\0", str(body)).below(1 << 32)


def _is_address(text: str, key: bytes) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    number = int(address)
    if address.version == 4:  # noqa: PLR2004 -- as above
        first, count = _IP4_RANGE
        body = number - first >> _IP4_TAG_BITS
        return first <= number < first + count and number & _IP4_TAG == _address_tag(body, key) & _IP4_TAG
    return number >> 96 == _IP6_PREFIX and number >> 64 & 0xFFFFFFFF == _address_tag(number & (1 << 64) - 1, key)


def _mac(value: str, draw: Draw, key: bytes) -> str | None:
    if len(compact(value)) != 12:  # noqa: PLR2004 -- 48 bits as hex
        return None
    body = f"{draw.below(1 << 24):06x}"
    chars = f"02{body}{_mac_tag(body, key):04x}"
    return laid_over(value, chars.upper() if value.upper() == value else chars)


def _mac_tag(body: str, key: bytes) -> int:
    return Draw(key, b"holdfast/preserved/mac/v1\0", body).below(_MAC_TAG)


def _is_mac(text: str, key: bytes) -> bool:
    match = _MAC.fullmatch(compact(text))
    return match is not None and int(match[1][6:], 16) == _mac_tag(match[1][:6].lower(), key)


def _ssn(value: str, draw: Draw, _key: bytes) -> str | None:
    digits = compact(value)
    if len(digits) != _SSN_DIGITS or not digits.isdecimal():
        return None
    return laid_over(value, f"9{draw.below(100):02}{draw.below(50):02}{draw.below(10_000):04}")


def _is_ssn(text: str, _key: bytes) -> bool:
    return _NEVER_ISSUED.fullmatch(compact(text)) is not None


def _phone(value: str, draw: Draw, _key: bytes) -> str | None:
    digits = compact(value)
    if not digits.isdecimal():
        return None
    if value.lstrip().startswith("+"):
        rest = len(digits) - len(_NO_COUNTRY)
        return laid_over(value, _NO_COUNTRY + _digits(draw, rest)) if len(digits) >= CHARS_MIN - 1 else None
    national = digits[-_NANP_DIGITS:]
    if len(national) < _NANP_DIGITS or digits[:-_NANP_DIGITS] not in ("", "1") or national[0] in "01":
        return None
    area = f"{2 + draw.below(8)}{draw.below(100):02}"
    return laid_over(value, f"{digits[:-_NANP_DIGITS]}{area}55501{draw.below(100):02}")


def _is_phone(text: str, _key: bytes) -> bool:
    digits = compact(text)
    if text.lstrip().startswith("+") and digits.isdecimal():
        return digits.startswith(_NO_COUNTRY)
    return _FICTION.fullmatch(digits) is not None


def _card(value: str, draw: Draw, key: bytes) -> str | None:
    digits = compact(value)
    if len(digits) not in _CARD_DIGITS or not digits.isdecimal():
        return None
    made = _any(value, draw, key)
    # What passes the checksum could be somebody's: the next attempt draws another.
    return None if made is None or luhn_holds(made) else made


def _is_card(text: str, key: bytes) -> bool:
    digits = compact(text)
    return len(digits) in _CARD_DIGITS and digits.isdecimal() and not luhn_holds(digits) and has_tag(key, digits)


def _iban(value: str, draw: Draw, key: bytes) -> str | None:
    chars = compact(value)
    if len(chars) < _IBAN_HEAD + CHARS_MIN - 1 or len(chars) > CHARS_MAX or not chars.isascii():
        return None
    body = f"{chars[:2]}00" + "".join(map(draw.like, chars[_IBAN_HEAD:-TAG_CHARS]))
    return laid_over(value, tagged(key, body, chars[-TAG_CHARS:]))


def _is_iban(text: str, key: bytes) -> bool:
    chars = compact(text)
    return _IBAN_KNOWN.fullmatch(chars) is not None and has_tag(key, chars)


def _any(value: str, draw: Draw, key: bytes) -> str | None:
    chars = compact(value)
    if not CHARS_MIN <= len(chars) <= CHARS_MAX:
        return None
    body = "".join(map(draw.like, chars[:-TAG_CHARS]))
    if chars[0].isdecimal() and chars[0] != "0" and body[0] == "0":
        body = str(1 + draw.below(9)) + body[1:]  # a number that begins with 0 is none in JSON
    return laid_over(value, tagged(key, body, chars[-TAG_CHARS:]))


def _is_any(text: str, key: bytes) -> bool:
    chars = compact(text)
    return CHARS_MIN <= len(chars) <= CHARS_MAX and has_tag(key, chars)


def _digits(draw: Draw, count: int) -> str:
    return "".join(str(draw.below(10)) for _ in range(count))


_FORMS: Final[dict[str, tuple[Make, Known]]] = {
    "CREDIT_CARD": (_card, _is_card),
    "EMAIL_ADDRESS": (_mail, _is_mail),
    "IBAN_CODE": (_iban, _is_iban),
    "IP_ADDRESS": (_address, _is_address),
    "MAC_ADDRESS": (_mac, _is_mac),
    "PHONE_NUMBER": (_phone, _is_phone),
    "US_ITIN": (_ssn, _is_ssn),
    "US_SSN": (_ssn, _is_ssn),
}
# Known by the range that they lie in alone, since they have no room for a tag. Another value may have the same digits;
# nothing else is written as an address of a machine is, and those have a tag of eight bits at least.
TAGLESS: Final = frozenset({"PHONE_NUMBER", "US_ITIN", "US_SSN"})


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """How masks of an entity are found in a text: a ``sign`` that each has in it, and its whole ``shape``."""

    sign: str
    shape: str


_GAP: Final = r"[\s()./-]{0,3}"
# An entity that is not here may have masks of any letters and digits.
MARKS: Final = {
    "EMAIL_ADDRESS": Mark(r"masked\.example", r"(?<![a-z2-7])[a-z2-7]{16}(?:@|%40)masked\.example"),
    "IP_ADDRESS": Mark(
        r"2[45]\d\.\d|2001:0?db8:", r"(?<![\d.])2[45]\d(?:\.\d{1,3}){3}|2001:0?db8(?::[0-9a-f]{0,4}){1,6}"
    ),
    "MAC_ADDRESS": Mark(r"02(?:[:. -]?[0-9a-f]){10}", r"(?<![0-9a-z])02(?:[:. -]?[0-9a-f]){10}(?![0-9a-z])"),
    "PHONE_NUMBER": Mark(
        rf"\+{_GAP}9{_GAP}9{_GAP}9|5{_GAP}5{_GAP}5{_GAP}0{_GAP}1",
        rf"\+(?:{_GAP}\d){{11,15}}|(?<!\d)(?:1{_GAP})?\(?[2-9](?:{_GAP}\d){{2}}{_GAP}5{_GAP}5{_GAP}5{_GAP}0{_GAP}1(?:{_GAP}\d){{2}}",
    ),
    "US_ITIN": Mark(r"9\d\d\W{0,3}[0-4]", r"(?<!\d)9\d\d\W{0,3}[0-4]\d\W{0,3}\d{4}(?!\d)"),
    "US_SSN": Mark(r"9\d\d\W{0,3}[0-4]", r"(?<!\d)9\d\d\W{0,3}[0-4]\d\W{0,3}\d{4}(?!\d)"),
}
