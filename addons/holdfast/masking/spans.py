"""Spans: where in a text something was found, and which of several findings speaks for a place."""

import dataclasses
from collections.abc import Iterable, Sequence
from typing import Final

PHONE: Final = "PHONE_NUMBER"
EMAIL: Final = "EMAIL_ADDRESS"
PERSON: Final = "PERSON"
PASSWORD: Final = "PASSWORD"  # noqa: S105 -- the name of an entity


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """The characters from ``start`` up to ``end``, found by ``rule`` as ``entity`` with ``score``."""

    start: int
    end: int
    entity: str
    score: float
    recognizer: str
    rule: str

    @property
    def length(self) -> int:
        """How many characters it covers."""
        return self.end - self.start


def without_inner_phones(spans: Sequence[Span]) -> Sequence[Span]:
    """``spans`` without telephone numbers that are part of something else: cards and IBANs look like them too."""
    others = [span for span in spans if span.entity != PHONE]
    if not others or len(others) == len(spans):
        return spans
    kept: list[Span] = []
    others.sort(key=lambda span: span.start)
    ahead = iter([*others, None])
    following = next(ahead)
    around: list[Span] = []  # others that begin before a telephone number does, and may reach over it
    for span in sorted(spans, key=lambda item: item.start):
        while following is not None and following.start <= span.start:
            around.append(following)
            following = next(ahead)
        if span.entity == PHONE:
            around = [other for other in around if other.end > span.start]
            if any(span.end <= other.end and other.score >= span.score for other in around):
                continue
        kept.append(span)
    return kept


def without_mail_of_urls(spans: Sequence[Span]) -> Sequence[Span]:
    """``spans`` without e-mail addresses that are a password and the host behind it: ``://app:secret@db.example``."""
    if not any(span.entity == PASSWORD for span in spans):
        return spans
    kept: list[Span] = []
    passwords: list[Span] = []  # that reach over the place looked at
    for span in sorted(spans, key=lambda item: (item.start, item.entity == EMAIL)):
        passwords = [other for other in passwords if other.end > span.start]
        if span.entity == EMAIL and any(other.end < span.end for other in passwords):
            continue
        if span.entity == PASSWORD:
            passwords.append(span)
        kept.append(span)
    return kept


def merge(spans: Iterable[Span]) -> list[Span]:
    """Disjoint spans, in order, that cover every character of ``spans``; the surest, then longest, gives the name."""
    merged: list[Span] = []
    for span in sorted(spans, key=lambda item: (item.start, -item.end)):
        if merged and span.start < merged[-1].end:
            last = merged.pop()
            best = max(last, span, key=lambda item: (item.score, item.length))
            merged.append(dataclasses.replace(best, start=last.start, end=max(last.end, span.end)))
        else:
            merged.append(span)
    return merged
