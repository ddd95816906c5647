"""Texts made to be slow: what the longest of them cost in processor time, with the engine as messages meet it."""

import dataclasses
import random
import time
from typing import Final

from scripts.bench_world.traffic import SEED

from holdfast.errors import MaskingError
from holdfast.masking.budget import Budget
from holdfast.masking.engine import Scanner
from holdfast.masking.entries import MaskingRules

TEXT_CHARS: Final = 16 * 1024
_KEY: Final = bytes(32)
# Each is repeated until the text is full. What they are made to slow down stands beside them.
REPEATED: Final = (
    *("a.", ".", "www.", ".com", "a.com/", "a.com@", "http://", '"a.co', "a." * 120 + "com "),  # URL
    *("a@", "@", "a-", "bob@example.com ", "a.@", "x+"),  # e-mail
    *("1 - ", "(+1 ", "+1 ", "(1) ", "212-555-2368 ", "1 ext. 1", "1/1/", "12 34 office", "1#"),  # telephone numbers
    *("4111 ", "4111 1111 1111 1111 ", "1", "1-1", "1 1", "219-12-3456 ", "DE89 3704 0044 0532 0130 00 "),  # numbers
    *("-", ":", "::", "1:", "ab:", "1.1.1.1:", "10.0.0.1 ", "00:1A:2B:3C:4D:5E ", "0a", "deadbeef", "1."),  # addresses
    *("2026-11-04 ", "11/26/2026", "NOV-26 "),  # dates
    *("password=", "password: ", "api_key=", "bearer ", "://a:", "eyJhbGci.", "AKIA", "sk-", "bc1"),  # secrets
    *("-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "<EMAIL_ADDRESS>", "ssn card phone ", "card 1"),
    *("\u0661", "\u6f221", "\u212a", "\uff14\uff11 ", "\u00e9", "%34", "\\u0040", "&#64;", "\ud800"),  # other spellings
    *("a", "\n", '"', "(", " ", "aB3"),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """What one text cost: seconds of processor time, and how many findings, or that it was refused."""

    name: str
    seconds: float
    outcome: str


def measure(rules: MaskingRules) -> list[Cost]:
    """Every text through the engine of ``rules``, the costliest first."""
    scanner = Scanner(rules, _KEY)
    return sorted((_cost(scanner, name, text) for name, text in _texts()), key=lambda cost: -cost.seconds)


def table(costs: list[Cost], count: int) -> str:
    """The ``count`` costliest, for people."""
    rows = [f"{cost.seconds:>9.3f} s  {cost.outcome:>8}  {cost.name[:40]!a}" for cost in costs[:count]]
    return "\n".join([f"{'CPU':>11}  {'findings':>8}  repeated to {TEXT_CHARS} characters", *rows])


def _cost(scanner: Scanner, name: str, text: str) -> Cost:
    started_s = time.process_time()
    try:
        outcome = str(len(scanner.scan(text, (), Budget())))
    except MaskingError:
        outcome = "refused"
    return Cost(name, time.process_time() - started_s, outcome)


def _texts() -> list[tuple[str, str]]:
    dice = random.Random(SEED)  # noqa: S311 -- test data
    texts = [(one, (one * (TEXT_CHARS // len(one) + 1))[:TEXT_CHARS]) for one in REPEATED]
    base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    ends = ("a." * TEXT_CHARS)[: TEXT_CHARS - 1] + "@", ("a-" * TEXT_CHARS)[: TEXT_CHARS - 2] + "@a"
    texts += [("a. up to @", ends[0]), ("a- up to @a", ends[1])]
    texts += [
        (f"any of {name}", "".join(dice.choices(chars, k=TEXT_CHARS)))
        for name, chars in (
            ("base64", base64),
            ("digits and marks", "0123456789 -."),
            ("ASCII", "".join(map(chr, range(32, 127)))),
        )
    ]
    return texts
