"""Whether a message is small enough to be masked on the event loop."""

from typing import Final

from holdfast.call import Call, Message
from holdfast.jsontext import Json

CHARS_MAX: Final = 16 * 1024  # what is done to such a text between two looks at the clock takes some milliseconds
VALUES_COUNT_MAX: Final = 2048
_ESCAPES_WEIGHT: Final = 4  # characters that may stand for others are looked at one by one
_OTHER_WEIGHT: Final = 8  # beyond ASCII there is also what folds to eighteen letters
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
    if not value.isascii():
        return len(value) * _OTHER_WEIGHT
    return len(value) * (_ESCAPES_WEIGHT if any(mark in value for mark in _ESCAPES) else 1)


def _inner(value: list[Json] | dict[str, Json]) -> list[Json]:
    if isinstance(value, list):
        return value[: VALUES_COUNT_MAX + 1]
    if len(value) > VALUES_COUNT_MAX:
        return list(range(VALUES_COUNT_MAX + 1))
    return [*value.keys(), *value.values()]
