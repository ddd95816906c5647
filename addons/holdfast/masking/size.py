"""Whether a message is small enough to be masked on the event loop."""

import re
from typing import Final

from holdfast.call import Call, Message
from holdfast.jsontext import Json

CHARS_MAX: Final = 16 * 1024  # what is done to such a text between two looks at the clock takes some milliseconds
VALUES_COUNT_MAX: Final = 2048
_WEIGHT: Final = 8  # what may be spelled otherwise is looked at in several spellings, character by character
_ESCAPE_CHARS: Final = 2048  # around one escape some 600 characters are spelled anew, in a few ways
_HIDDEN: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ESCAPES: Final = ("%", "&", "\\")


def fits_in_place(message: Message) -> bool:
    """Whether ``message`` has few enough characters and values. Looks at no more of them than that."""
    values = [message.params] if isinstance(message, Call) else [message.result, message.error]
    return fits([*values, message.extra])


def fits(value: Json) -> bool:
    """Whether ``value`` has few enough characters and values."""
    chars, count = 0, 0
    level = [value]
    while level and chars <= CHARS_MAX and count <= VALUES_COUNT_MAX:
        count += len(level)
        chars += sum(map(_chars, level))
        level = [inner for item in level if isinstance(item, dict | list) for inner in _inner(item)]
    return chars <= CHARS_MAX and count <= VALUES_COUNT_MAX


def _chars(value: Json) -> int:
    if not isinstance(value, str):
        return 0
    if len(value) > CHARS_MAX:
        return len(value)
    if not value.isascii() or _HIDDEN.search(value) is not None:
        return len(value) * _WEIGHT
    marks_count = sum(map(value.count, _ESCAPES))
    return min(len(value) * _WEIGHT, len(value) + marks_count * _ESCAPE_CHARS)


def _inner(value: list[Json] | dict[str, Json]) -> list[Json]:
    if isinstance(value, list):
        return value[: VALUES_COUNT_MAX + 1]
    if len(value) > VALUES_COUNT_MAX:
        return list(range(VALUES_COUNT_MAX + 1))
    return [*value.keys(), *value.values()]
