"""The short texts of a message, which the finder is told of before it is asked for each: one scan costs less."""

from typing import Final

from holdfast.jsontext import Json

TEXT_CHARS_MAX: Final = 4096  # a longer text is worth a scan of its own, which it may not even need
ALL_CHARS_MAX: Final = 64 * 1024  # texts beyond are scanned one by one; most of so much has been seen before


def texts_of(value: Json) -> list[str]:
    """The short strings in ``value``, but for those that hold JSON, which is opened first."""
    texts: list[str] = []
    chars = 0
    level: list[Json] = [value]
    while level and chars <= ALL_CHARS_MAX:
        item = level.pop()
        if isinstance(item, str):
            if item and item[0] not in "{[" and len(item) <= TEXT_CHARS_MAX:
                texts.append(item)
                chars += len(item)
        elif isinstance(item, dict):
            level += item.values()
        elif isinstance(item, list):
            level += item
    return texts
