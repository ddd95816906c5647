"""Every text in a Call, for rules that search: values and member names, and those of JSON that stands in a string."""

import re
from collections.abc import Iterator
from typing import Final

from holdfast import jsontext
from holdfast.jsontext import Json
from holdfast.policy.names import fold
from holdfast.policy.pattern import SEARCH_CHARS_MAX, Budget, Fit, Pattern

NESTED_DEPTH_MAX: Final = 4  # JSON in JSON in JSON; deeper is searched as the text it is
# Neither `\s` nor `.` runs over both characters, so no expression takes two texts for one.
_BETWEEN: Final = "\n\0\n"
_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")


def texts_of(value: Json) -> Iterator[str]:
    """The texts in ``value``, in no particular order; JSON in a string is given whole and in parts."""
    stack: list[tuple[Json, int]] = [(value, 0)]
    while stack:
        item, depth = stack.pop()
        match item:
            case str():
                yield item
                if "\\u" in item:  # JSON that does not parse, or another language's literal
                    yield _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), item)
                stack.extend(_nested(item, depth))
            case list():
                stack.extend((element, depth) for element in item)
            case dict():
                yield from item
                stack.extend((element, depth) for element in item.values())


def _nested(text: str, depth: int) -> Iterator[tuple[Json, int]]:
    if depth >= NESTED_DEPTH_MAX or text.lstrip()[:1] not in {"{", "[", '"'}:
        return
    try:
        yield jsontext.parse_text(text), depth + 1
    except jsontext.JsonError:
        return


def search(patterns: tuple[Pattern, ...], value: Json) -> Fit:
    """Whether any of ``patterns`` occurs in any text of ``value``, as it stands or as an eye reads it.

    UNREADABLE where the texts are too long together, or an expression spent its budget.
    """
    found: list[str] = []
    chars = 0
    for text in texts_of(value):
        found.append(text)
        chars += len(text) + len(_BETWEEN)
        if chars > SEARCH_CHARS_MAX:
            return Fit.UNREADABLE
    plain = _BETWEEN.join(found)
    budget = Budget()
    for reading in dict.fromkeys((plain, _BETWEEN.join(map(fold, found)))):
        for pattern in patterns:
            fit = pattern.occurs(reading, budget)
            if fit is not Fit.FAILS:
                return fit
    return Fit.FAILS
