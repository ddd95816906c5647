"""Texts on which the gateway's way and Presidio's own might differ: realistic, put together, mutated, odd, hostile."""

import itertools
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

from scripts.bench_world.masking import leaves_of, make_message

VECTORS = Path(__file__).parents[1] / "vectors" / "pii"
VALUES = [
    *("4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "2223 0000 4841 0010", "1732300000123"),
    *(
        "234-45-6789",
        "234456789",
        "219 09 9999",
        "912-70-1234",
        "DE89370400440532013000",
        "GB82 WEST 1234 5698 7654 32",
    ),
    *("a@b.co", "bob.smith@example.com", "x+y@sub.example.co.uk", "a@b", "@b.co", "10.1.2.3", "1.2.3.4/24", "::1"),
    *("2001:db8::8a2e:370:7334", "::ffff:10.0.0.1", "00:1A:2B:3C:4D:5E", "0012.3456.789A", "BB1388568", "A12345678"),
    *("(212) 555-2368", "+44 20 7946 0958", "020 7946 0958", "2125552368", "310-1234", "+1 (950) 650-2950", "01640"),
    *("0049 30 123456", "011 44 20 7946 0958", "212-555-2368 ext. 12", "2125552368x7", "+49 (0)30 1234567", "1640"),
    *("945456787654", "121000358", "1EG4-TE5-MK73", "H12234567", "V123456", "AB123456C", "12 34 56 78 9", "1234567890"),
    *("2026-11-26", "11/26/2026", "26.11.26", "2026-11-26T10:00:00Z", "NOV-26", "26-NOV-2026", "11/2026", "10:30:00"),
    *("https://example.com/a?b=c", "www.example.de", "http://a.b.co.uk/", "file.py", '"example.io/x"', "www1.x.com"),
    *("3f786850-e387-550f-dab8-36ed7e6dc881", "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ", "AKIAIOSFODNN7EXAMPLE"),
    *("sk_test_4eC39HqLyjWDarjtT1zdp7dc", "password=abcd1234", "<US_SSN>", "eyJhbGciOiJI.eyJzdWIiOiIx.dozjgNry"),
    *("2345678901234", "A1B2C3D4E5", "9876 543 210", "ABCDE1234F", "S1234567D", "51 824 753 556", "8001015009087"),
]
WORDS = [
    *("driver", "passport", "account", "bank", "routing", "ssn", "card", "phone", "tel", "medicare", "dea", "born"),
    *("token", "ext", "int", "the", "of", "fax", "office", "url", "date", "iban", "btc", "ip", "mac", "uuid", "x1"),
    *("电话", "パスワードは", "생년월일", "ПАСПОРТ", "тел.", "Κωδικός πρόσβασης:", "身份证号", "姓名: 张伟"),
]
MARKS = [" ", " ", " ", "", "-", ".", ", ", "\n", ":", "/", "(", ")", "\t", '"', "'", "@", "+", "_", "#", "=", "  "]
ODD = (
    "0189aZkKsSiI-.:@/_(+)[]%$#;,=<>\n\t\x0b\x1c\x85\u00a0\u2028\u3000\u200b\u00ad\u2011\u2013\uff0d"
    "\u212a\u017f\u0130\u0131\u0661\uff14\u0967\U0001d7d8\u00b2\u6f22\u00e9\u0301\u20ac\ud800\udfff\U0001f600\ufeff"
)
HOSTILE = [
    *("a.", ".", "a-", "a@", "1 - ", "4111 ", "-", ":", "1:", "ab:", "1.1.1.1:", "0a", "1", "a", "a.com/", "a.com@"),
    *("(+1 ", "+1 ", "1/1/", "00", "password=", "-----BEGIN ", "www.", "http://", '"a.co', "\u0661", "\u212a", "1x"),
]


def realistic(dice: random.Random) -> str:
    """A text as tools say it."""
    if dice.random() < 0.3:
        return dice.choice(_samples())
    leaves = list(leaves_of(make_message(dice, is_dense=dice.random() < 0.5)))
    return dice.choice(leaves)


def put_together(dice: random.Random) -> str:
    """Values and words, joined by all sorts of marks."""
    parts = dice.choices([*VALUES, *VALUES, *WORDS], k=dice.choice([1, 2, 3, 5, 8]))
    return "".join(itertools.chain.from_iterable((part, dice.choice(MARKS)) for part in parts)).strip(" ")


def mutated(dice: random.Random) -> str:
    """Some characters of another text replaced, dropped or put in."""
    text = dice.choice([put_together, put_together, realistic])(dice)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice(ODD[:24]) * dice.choice([1, 1, 1, 4]) + text[at + dice.randrange(3) :]
    return text


def odd(dice: random.Random) -> str:
    """The same with characters of other scripts, invisible ones, halves of pairs."""
    text = mutated(dice)
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(text) + 1)
        text = text[:at] + dice.choice(ODD[20:]) + text[at + dice.randrange(2) :]
    return text


def random_chars(dice: random.Random) -> str:
    """Characters that patterns are about, in no order."""
    return "".join(dice.choices(ODD, k=dice.choice([3, 12, 40])))


def hostile(dice: random.Random) -> str:
    """What makes expressions slow, short enough for Presidio to come to an end; with a value before or behind it."""
    text = dice.choice(HOSTILE) * dice.randint(4, 30)
    return dice.choice([text, text + dice.choice(VALUES), dice.choice(VALUES) + text, text + " " + dice.choice(VALUES)])


KINDS: dict[str, Callable[[random.Random], str]] = {
    "realistic": realistic,
    "put together": put_together,
    "mutated": mutated,
    "odd": odd,
    "random": random_chars,
    "hostile": hostile,
}
CONTEXTS: list[tuple[str, ...]] = [(), (), (), ("ssn",), ("card", "phone"), ("passport",), ("driver", "bank")]


def texts(seed: int) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Kind, text and context words, without end."""
    dice = random.Random(seed)
    for kind in itertools.cycle(KINDS):
        yield kind, KINDS[kind](dice), dice.choice(CONTEXTS)


def _samples() -> list[str]:
    if not _known:
        for name in ("presidio_research_sample.json", "pii_anon_eval_sample.json"):
            _known.extend(json.loads((VECTORS / name).read_text("utf-8")))
    return _known


_known: list[str] = []
