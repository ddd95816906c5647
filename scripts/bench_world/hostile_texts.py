"""Texts made to be slow, all of one length: what is repeated to fill them, and what is drawn at random.

What each is made to slow down stands beside it. Whoever finds a slower one adds it here.
"""

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import Final

from scripts.bench_world.traffic import SEED

from holdfast.jsontext import Json

TEXT_CHARS: Final = 16 * 1024
_LOG: Final = "2026-11-04T10:11:12.345Z INFO [pool-7] 10.20.30.40:54321 GET /v1/users/4711?id=12 200 1234 0.012 "

REPEATED: Final = (
    *("a.", ".", "www.", ".com", "a.com/", "a.com@", "http://", '"a.co', "a." * 120 + "com "),  # URL
    "http://a.co/?q=1 ",
    *("a@", "@", "a-", "bob@example.com ", "bob@example.com,", "a.@", "x+", "b@a.co:"),  # e-mail
    # Telephone numbers.
    *("1 - ", "(+1 ", "+1 ", "+1 (", "+1 (212) ", "(1) ", "212-555-2368 ", "1 ext. 1", "1/1/", "12 34 office", "1#"),
    *("phone +1 (212) 555-2368, ", "020 7946 0958\n", "(212) ", "1640 ", "0 ", "12345 "),
    *("12345\n", "123.45\t", "98,765; "),
    # Numbers.
    *("4111 ", "4111-1111-", "4111 1111 1111 1111 ", "1", "1-1", "1 1", "219-12-3456 ", "DE89 3704 0044 0532 0130 00 "),
    *("DE89 ", "DE89370400440532013000 ", "card 4111 1111 1111 1111 ", "12-34-56 ", "A1234567 ", "ssn 219 12 3456 "),
    # Addresses.
    *("-", ":", "::", "1:", "ab:", "9a:", "02:1a:", "1.1.1.1:", "10.0.0.1 ", "10.0.0.1,", "::1 ", "fe80::1%eth0 "),
    *("2001:db8::1 ", "2001:db8:0:0:0:0:0:1\n", "::ffff:10.0.0.1 ", "1::2:", "00:1A:2B:3C:4D:5E ", "0a", "deadbeef"),
    *("1.", "0012.3456.789A ", "2001:db8::/32 ", "1:2:3:4:5:6:7:"),
    *("2026-11-04 ", "11/26/2026", "NOV-26 ", "born 1.1.2000 ", "dob 1 jan 2000 ", "10:11:12 ", _LOG),  # dates
    # Secrets.
    *("password=", "password: ", "password: x ", "api_key=", "bearer ", "://a:", "://a:b@c ", "eyJhbGci.", "AKIA"),
    *("sk-", "bc1", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "AKIAIOSFODNN7EXAMPLE ", "ghp_"),
    "token=a1b2c3d4e5f6 ",
    *("secret: 'aB3$xY7!' ", "PASSWORD=hunter2\n", '"password":"x",', "cvv 123 ", "%B4111111111111111^A/B^2712?"),
    *("<EMAIL_ADDRESS>", "ssn card phone ", "card 1", "passport 340020013 ", "account 12345678 "),
    *("Mrs Smith ", "Patient: Ann Lee ", "12 Main Street ", "name: Bob "),  # people
    # Escapes.
    *("%34", "\\u0040", "&#64;", "&#52;", "%2525", "%26%2352%3b", "\\\\u0034", "\\x34&#52;%34", "=34=31\n", "\\n4111"),
    *("=?utf-8?q?=34?= ", "&amp;#52;", "&amp", "%", "&", "\\", "a=b+c&", "%u0034", "\\101", "4%311\\u0031&#49;"),
    # Other spellings.
    *("\u0661", "\u6f221", "\u212a", "\uff14\uff11 ", "\uff11", "\u00e9", "\ud800", "a\u0301"),
    *("\u0301", "4\u200b", "\u200b", "".join(map(chr, range(0xE0020, 0xE0080))), "\u33af", "4\u20de"),
    *("\ufdfa", "\ufdfa ", "\U000e0034", "\U000e0061\U000e0062 ", "\U000e0121", "\u2460", "\U0001d7d2"),
    *("\u0430@\u0430.", "4\u00ad1", "\U0001f1e6", "\u2155", "\u3300", "\xa01", "\x00", "4\x001", "\u2028"),
    "1\ufe0f\u20e3",
    *("a", "\n", '"', "(", " ", "aB3", "a b ", "f47ac10b-58cc-4372-a567-0e02b2c3d479 ", "{}", "[1]"),
    *("4f 6b 20 ", "00000010  4f 6b 20 34 31 31 31  |Ok 4111|\n", "0x4f,", "UmF3IHRleHQg"),
    "QUtJQUlPU0ZPRE5ON0VYQU1QTEU ",
    *('{"ssn":"219-12-3456"},', '{\\"a\\":\\"4111\\"},', "a,b;1|2\t", "M\u00fcller +49 30 1234567, "),
)  # fmt: skip
_DRAWN: Final = {
    "base64": string.ascii_letters + string.digits + "+/",
    "digits and marks": "0123456789 -.",
    "digits and brackets": "0123456789 ()+-",
    "hexadecimal and colons": "0123456789abcdef:",
    "hexadecimal, colons and blanks": "0123456789abcdef::. ",
    "ASCII": "".join(map(chr, range(32, 127))),
    "escape marks": "%&#;\\ux0123456789abcd",
    "letters beside digits": "a1B2 .@-:",
    "digits of five scripts": "0123\u0661\u0967\uff11\u2460\U0001d7d2 -",
    "letters that look Latin": "\u0430\u0435\u043e\u0440\u0441abc@.1 ",
    "the first 10,000 characters": "".join(map(chr, range(32, 10_000))),
}
# Pieces in any order, each of which is spelled in some other way or makes values of what stands beside it.
_MIXED: Final = {
    "colours, SSNs and a word": ("\x1b[31m", "phone ", "123-45-6789", ":= ", "\\", "<tr>"),
    "addresses, entities and circles": ("0x", "\u53f7", "&amp;", "0", "\u2460", "1.1.1.1"),
    "soft hyphens in numbers": ("4111-", "10.0.0.1", "\u00ad", "_", "1980-02-29"),
    "wide digits between slashes": ("0440 0532", "\uff14", "//"),
    "births in addresses": ("born \\\\n0.a@b.co", " ", "born \\n0.a@b.co "),
    "colours, escapes and IBANs": ("%34", "a.", "DE89", "\\\\", "\x1b[31m"),
    "numbers and escapes of terminals": ("x", "0440 0532", "\x1b"),
    "addresses in a query": ("1.1.1.1", "%", "4111 ", "+"),
    "wide digits, accents and telephones": ("x", "\uff14", "%", "000", "+1 212 555 2368", "\u00e9", "1.1.1.1"),
    "Arabic digits, quotes and SSNs": ("phone ", '"', "\u53f7", "\\", "\u0664\u0661 ", "0440 0532", "123-45-6789"),
    "mail addresses, entities and signs": ("\u53f7", "0440 0532", "0.5", "phone ", "a@b.co", "&amp;", "\u2121"),
    "plus signs, signs and numbers": ("+", "9", "%", "4111-", "\u2121", "\u0430", "123456789"),
}


def texts() -> list[tuple[str, str]]:
    """Every text of :data:`TEXT_CHARS` characters, and what it is called."""
    dice = random.Random(SEED)  # noqa: S311 -- test data
    made = [(one, (one * (TEXT_CHARS // len(one) + 1))[:TEXT_CHARS]) for one in REPEATED]
    ends = ("a." * TEXT_CHARS)[: TEXT_CHARS - 1] + "@", ("a-" * TEXT_CHARS)[: TEXT_CHARS - 2] + "@a"
    made += [("a. up to @", ends[0]), ("a- up to @a", ends[1])]
    made += [(f"any of {name}", "".join(dice.choices(chars, k=TEXT_CHARS))) for name, chars in _DRAWN.items()]
    made += [(name, "".join(dice.choices(pieces, k=TEXT_CHARS))[:TEXT_CHARS]) for name, pieces in _MIXED.items()]
    return [*made, *_columns(dice)]


def _columns(dice: random.Random) -> list[tuple[str, str]]:
    """What no two lines have in common."""
    lines = {
        "a column of numbers": lambda: f"{dice.randrange(10**8)}",
        "columns of numbers": lambda: "  ".join(f"{dice.randrange(10**5):>6}" for _ in range(6)),
        "lines of CSV": lambda: (
            f"{dice.randrange(10**6)},{dice.random():.4f},{dice.randrange(10**10)},x{dice.random()}"
        ),
        "addresses of IPv6": lambda: ":".join(f"{dice.randrange(2**16):x}" for _ in range(8)),
        "short addresses of IPv6": lambda: f"{dice.randrange(2**16):x}::{dice.randrange(2**16):x}",
        "addresses of IPv4": lambda: ".".join(str(dice.randrange(256)) for _ in range(4)),
        "UUIDs": lambda: f"{dice.getrandbits(128):032x}",
        "telephone numbers": lambda: f"+1 (212) 555-{dice.randrange(10**4):04d}",
        "numbers of ten digits": lambda: f"{dice.randrange(2 * 10**9, 10**10)}",
        "cards": lambda: f"4{dice.randrange(10**15):015d}",
        "mail addresses": lambda: f"{dice.randrange(10**6):x}@example.com",
        "numbers with a sign": lambda: f"{dice.uniform(-100, 100):.6f} {dice.uniform(-1, 1):.3e}",
        "log lines": lambda: _LOG.replace("10.20.30.40", ".".join(str(dice.randrange(256)) for _ in range(4))),
        "passwords": lambda: f"password: {dice.randrange(10**9):x}!",
        "births": lambda: f"born {dice.randrange(1, 29)}.{dice.randrange(1, 13)}.{dice.randrange(1900, 2020)}",
    }
    heads, cells = ("".join(f"<{tag}>{at}</{tag}>" for at in range(count)) for tag, count in (("th", 600), ("td", 900)))
    table = f"<table><tr>{heads}</tr><tr>{cells}"[:TEXT_CHARS]
    return [*((name, _filled(line)) for name, line in lines.items()), ("a wide table of HTML", table)]


def _filled(line: Callable[[], str]) -> str:
    parts: list[str] = []
    size = 0
    while size < TEXT_CHARS:
        parts.append(line())
        size += len(parts[-1]) + 1
    return f"{'\n'.join(parts)}\n"[:TEXT_CHARS]


def values() -> list[tuple[str, Json]]:
    """Every text, and values of many texts, numbers and names that have as many characters together."""
    dice = random.Random(SEED)  # noqa: S311 -- test data
    made: dict[str, Json] = dict(texts())
    count = TEXT_CHARS // 8
    made |= {
        "texts of 8 characters": [f"{dice.randrange(10**8):08d}" for _ in range(count)],
        "texts of 3 letters": ["".join(dice.choices(string.ascii_letters, k=3)) for _ in range(TEXT_CHARS // 3)],
        "numbers of 8 digits": [dice.randrange(10**7, 10**8) for _ in range(count)],
        "numbers of 16 digits": [dice.randrange(10**15, 10**16) for _ in range(count // 2)],
        "members": {f"{dice.getrandbits(32):08x}": number for number in range(count)},
        "members called ssn": {f"ssn {number}": f"{dice.randrange(10**9):09d}" for number in range(count // 2)},
        "mail addresses, one a text": [f"{number:05}@a.co" for number in range(count // 2)],
        "cards, one a text": [f"4{dice.randrange(10**15):015d}" for _ in range(count // 2)],
        "telephone numbers, one a text": [f"+1 212 555 {number:04}" for number in range(count // 2)],
        "Arabic numbers, one a text": [*_arabic(dice)],
        "members of Arabic numbers": dict.fromkeys(_arabic(dice), 1),
        "members of SSNs": {f"{number % 500 + 100}-45-{number:04} {number}": 1 for number in range(1, count // 2)},
        "letters that fold to many, one a text": ["\ufdfa"] * TEXT_CHARS,
        "escapes, one a text": [f"%3{number % 10}&#5{number % 10};" for number in range(count)],
        "objects in objects": _nested(200),
        "JSON in a text": json.dumps({"rows": [{"ssn": f"219-12-{number:04}"} for number in range(count // 3)]}),
        "JSON in JSON": json.dumps({"text": json.dumps([f"bob{number}@a.co" for number in range(count // 2)])}),
        "base64 of mail addresses": base64.b64encode(b"bob@example.com " * (TEXT_CHARS * 3 // 64)).decode(),
        "base64 in words": f"{base64.b64encode(b'ssn 219-12-3456 and so on').decode()} " * (TEXT_CHARS // 34),
    }
    return list(made.items())


def _arabic(dice: random.Random) -> Iterator[str]:
    return ("".join(dice.choices("\u0660\u0661\u0662\u0663\u0664\u0669", k=10)) for _ in range(TEXT_CHARS // 10))


def _nested(depth: int) -> Json:
    value: Json = "219-12-3456"
    for number in range(depth):
        value = {f"card {number}": value, "note": f"4111 1111 {number} bob@example.com and {number * 10**9}"}
    return value
