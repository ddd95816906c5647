r"""The spellings of a text in which a value may be read: as it looks, and as whatever decodes it reads it.

``\uff14\uff11\uff11\uff11``, ``4111\u200b1111`` and ``%34%31%31%31`` begin card numbers to a reader, not to a pattern.
Each spelling is searched like the text itself, and what is found in it is masked where it came from. Encodings lie in
one another (an entity in a percent-encoded link), so escapes are decoded in up to three rounds, look-alikes after each.

A long text is spelled only around what can be spelled otherwise, far enough for a value and the words before it.
"""

import bisect
import dataclasses
import operator
import re
from collections.abc import Iterable, Iterator
from typing import Final

from holdfast.masking.encoded_words import SIGN, without_words, words_in
from holdfast.masking.escapes import decoded, escapes_in, is_soft, plus_signs_in, softened, without_plus
from holdfast.masking.glue import CODE, CONTROL_SIGNS, glued_in, unglued
from holdfast.masking.lookalikes import seen_as
from holdfast.masking.spelling import Spelling, Stretch, Unit, as_it_stands, respelled

_END: Final = operator.itemgetter(1)  # of a stretch
ROUNDS_MAX: Final = 3  # a link in HTML in a link has three; each costs another search of the text
# A value with five words before it, and the label of most. A few patterns look further ahead of their value (a header
# of cookies); where only that label is spelled otherwise, such a value is not seen, as docs/masking.md says.
REACH_CHARS: Final = 256
PART_CHARS: Final = REACH_CHARS + 128  # so that few values that a change may make reach the end of a part
RUN_CHARS_MAX: Final = 4096  # a longer run without a blank is no key or token that a pattern knows
_SIGNS_COUNTED_MAX: Final = 64
_STOPS: Final = " \n&"  # no key or token goes on behind one of these
_PLAIN: Final = re.compile(r"[\t\n\r -$'-\[\]-~]*")  # no %, & or \, and nothing but ASCII that shows
_STRANGE: Final = re.compile(r"[^\t\n\r -~]+")
# Tag characters, and variation selectors in supplementary planes, can spell ASCII that nobody sees but a model.
_HIDDEN: Final = re.compile("[\U000e0020-\U000e007e\U000e0110-\U000e016e]+")
_TAGS: Final = 0xE0000
_SELECTORS: Final = 0xE00F0  # U+E0100 stands for byte 16


@dataclasses.dataclass(frozen=True, slots=True)
class Spellings:
    """Other spellings of a text, or of stretches of it, and where its escapes stand."""

    others: tuple[Spelling, ...] = ()
    escapes: tuple[Stretch, ...] = ()
    starts: tuple[int, ...] = ()  # of the escapes

    def whole(self, start: int, end: int) -> Stretch:
        """``start:end`` of the text, grown so that no escape is cut in two."""
        return min(start, self._around(start)[0]), max(end, self._around(end)[1])

    def _around(self, at: int) -> Stretch:
        """The escape that a cut at ``at`` would go through; ``at`` itself where there is none."""
        before = bisect.bisect_left(self.starts, at) - 1
        return self.escapes[before] if before >= 0 and at < self.escapes[before][1] else (at, at)


NONE: Final = Spellings()


def spellings_of(text: str) -> Spellings:
    """The spellings of ``text`` that differ from it and from each other; for most texts there are none."""
    is_plain = _PLAIN.fullmatch(text) is not None
    if is_plain and "=" not in text and "_" not in text:
        return NONE
    escapes = () if is_plain else tuple(escapes_in(text))
    soft = [(0, len(text))] if is_soft(text) else []
    strange = () if is_plain else tuple(_strange_in(text))
    if 2 * sum(end - start for start, end in strange) > len(text):
        stretches = [(0, len(text))]  # it is all of the text, whatever other marks there are
    else:
        kinds = (escapes, soft, strange, plus_signs_in(text), words_in(text), glued_in(text))
        stretches = _stretches(text, (mark for kind in kinds for mark in kind))
    others = tuple(part for stretch in stretches for part in _fresh(text, stretch))
    return Spellings(others, escapes, tuple([start for start, _ in escapes]))


def whole_spellings_of(text: str) -> tuple[Spelling, ...]:
    """The same over the whole text at once, whatever it costs: where a value reaches beyond a stretch."""
    return tuple(_others(text, (0, len(text))))


def plainly(value: str) -> str:
    """``value`` as it reads: what a mask is made of must not depend on how the value was spelled."""
    if _PLAIN.fullmatch(value):
        return value
    *_, last = _rounds(as_it_stands(value))
    return last.text or value


def _fresh(text: str, stretch: Stretch) -> Iterator[Spelling]:
    """What there is to search in the spellings of a stretch: only where each differs from what it was made of.

    What lies further from a difference than any value reaches was found there, or in what that was made of.
    """
    known: set[tuple[int, str]] = set()
    for spelling in _others(text, stretch):
        for start, end in _stretches(spelling.text, spelling.changes):
            part = spelling.part(start, end)
            if (part.origins[0], part.text) not in known:
                known.add((part.origins[0], part.text))
                yield part


def _others(text: str, stretch: Stretch) -> Iterable[Spelling]:
    start, end = stretch
    itself = as_it_stands(text[start:end], start)
    order = {itself.text: 0}
    found = {itself.text: itself}
    for one in _readings(itself):
        before = found.get(one.text)
        if before is None:
            order[one.text] = len(order)
            found[one.text] = one
        # Made in another way of what is searched as well, and before it, there may be less to search in it.
        elif one.changed_chars < before.changed_chars and order.get(one.base, len(order)) < order[one.text]:
            found[one.text] = one
    del found[itself.text]
    return found.values()


def _readings(itself: Spelling) -> Iterator[Spelling]:
    """The spellings of a text, each with what is glued to values in it, and without.

    It is taken off before letters of other scripts are taken for the Latin ones that they look like, and once more
    then. To take it off then alone is something else only where it has such letters, which may belong to a value; but
    it is done where little is glued, since then less is searched.
    """
    apart = unglued(itself.text)
    is_told = apart is not None and _is_all_over(apart) and not _has_lost_lookalikes(itself.text, apart.text)
    for spelling in _rounds(itself):
        yield from (spelling, *_without_plus(spelling))
        if not is_told:
            yield spelling.then(unglued(spelling.text))
    for spelling in _otherwise(itself):
        yield from (spelling, spelling.then(unglued(spelling.text)), *_without_plus(spelling))
    for spelling in _rounds(itself.then(apart)) if apart is not None else ():
        inner = unglued(spelling.text)
        if inner is not None and spelling.text.count("_") != inner.text.count("_"):
            yield spelling  # a low line may be part of an address or a key: `ada_1234567@…`
        yield from (spelling.over(inner), *_without_plus(spelling))


def _is_all_over(spelling: Spelling) -> bool:
    return _stretches(spelling.text, spelling.changes) == [(0, len(spelling.text))]


def _has_lost_lookalikes(text: str, apart: str) -> bool:
    """Whether signs of ``text`` that look like others, or like nothing, are missing in ``apart``: also colour codes.

    Of a text with many kinds of them it is taken for granted: each would be counted in all of it.
    """
    signs = {*_changing(text), *CONTROL_SIGNS}
    return len(signs) > _SIGNS_COUNTED_MAX or any(text.count(sign) != apart.count(sign) for sign in signs)


def _otherwise(itself: Spelling) -> Iterator[Spelling]:
    """What comes of a text that is read as a form, a mail or a header has it, or with what is hidden in it."""
    for one in _without_plus(itself):
        yield one
        yield from _rounds(one)
    if is_soft(itself.text):
        yield from _rounds(itself.then(softened(itself.text)))
    if SIGN in itself.text:
        yield from _rounds(itself.then(without_words(itself.text)))
    if not itself.text.isascii() and _HIDDEN.search(itself.text):
        yield from _rounds(itself.then(respelled(itself.text, _HIDDEN, _hidden)))


def _without_plus(spelling: Spelling) -> Iterator[Spelling]:
    """``spelling`` as a form has it, where it looks like one."""
    if any(plus_signs_in(spelling.text)):
        yield spelling.then(without_plus(spelling.text))


def _rounds(spelling: Spelling) -> Iterator[Spelling]:
    """``spelling`` without look-alikes, and what comes of it by decoding, round by round, in every order of kinds."""
    level = [_folded(spelling)]
    known = {level[0].text}
    yield level[0]
    for _ in range(ROUNDS_MAX):
        found: dict[str, Spelling] = {}
        for one in [_folded(outer.then(decoding)) for outer in level for decoding in decoded(outer.text)]:
            before = found.get(one.text)
            if one.text not in known and (before is None or one.changed_chars < before.changed_chars):
                found[one.text] = one
        known.update(found)
        level = list(found.values())
        yield from level


def _folded(spelling: Spelling) -> Spelling:
    may_control = "\x1b" in spelling.text or not spelling.text.isascii()
    if may_control and CODE.search(spelling.text):  # a terminal shows nothing of it
        shown = spelling.then(respelled(spelling.text, CODE, lambda match: [("", len(match.group()))]))
        spelling = dataclasses.replace(shown, changes=((0, len(shown.text)),))
    changed = _changing(spelling.text)
    return spelling.swapped(changed) if changed else spelling


def _changing(text: str) -> dict[str, str]:
    """What each character of ``text`` looks like that does not look like itself."""
    if text.isascii() and _STRANGE.search(text) is None:
        return {}
    return {char: seen for char in set(text) if (seen := seen_as(char)) != char}


def _hidden(match: re.Match[str]) -> list[Unit]:
    chars = [chr(code - (_SELECTORS if code > _SELECTORS else _TAGS)) for code in map(ord, match.group())]
    # What is hidden behind a visible character is no part of its word.
    return [(" ", 0), *((char, 1) for char in chars), (" ", 0)]


def _strange_in(text: str) -> Iterator[Stretch]:
    changing = _changing(text)
    if not changing:
        return
    if len(text) <= PART_CHARS:  # any mark has all of it looked at
        yield 0, len(text)
        return
    some = "".join(map(re.escape, sorted(changing)))
    for match in re.finditer(f"[{some}](?:[^{some}]{{0,{REACH_CHARS - 1}}}+[{some}])*+", text):
        yield match.span()


def _stretches(text: str, marks: Iterable[Stretch]) -> list[Stretch]:
    """The parts of ``text`` around ``marks``, from stop to stop; all of it where they make up most of it."""
    if len(text) <= PART_CHARS:
        return [(0, len(text))] if any(True for _ in marks) else []
    found: list[Stretch] = []
    for start, end in sorted(marks):
        if found and end + PART_CHARS <= found[-1][1]:
            continue
        left, right = _stop_before(text, start - PART_CHARS), _stop_behind(text, end + PART_CHARS)
        if found and left <= found[-1][1]:
            left = found.pop()[0]
        found.append((left, right))
    size = sum(end - start for start, end in found)
    return [(0, len(text))] if 2 * size > len(text) else found


def _stop_before(text: str, at: int) -> int:
    low = max(0, at - RUN_CHARS_MAX)
    found = max([text.rfind(stop, low, max(0, at)) for stop in _STOPS])
    return found if found >= 0 else low


def _stop_behind(text: str, at: int) -> int:
    high = at + RUN_CHARS_MAX
    found = [place for place in [text.find(stop, at, high) for stop in _STOPS] if place >= 0]
    return min(found, default=min(high, len(text)))
