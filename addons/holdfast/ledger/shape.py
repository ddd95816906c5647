"""Shapes: what a member of a Record may hold, checked strictly and described in words. Standard library only.

Every shape has ``words``, as the documentation prints them, and ``check(value, where)``, which raises a
:class:`~holdfast.errors.LedgerError` that names the member and never quotes the value.
"""

import dataclasses
import re
from typing import Final, Protocol

from holdfast.errors import LedgerError
from holdfast.jsontext import Json

TEXT_CHARS_MAX: Final = 2048  # names, reasons, user agents; longer texts belong in a payload
INTEGER_MAX: Final = 2**53 - 1  # RFC 7493 2.2: larger integers are read differently by some


class Shape(Protocol):
    """What a member may hold."""

    @property
    def words(self) -> str:
        """The shape as documentation names it."""

    def check(self, value: Json, where: str) -> None:
        """Refuse a value that does not have this shape.

        Raises:
            LedgerError: names ``where`` and what was expected.
        """


def wrong(where: str, expected: str) -> LedgerError:
    """The error for a member that does not have its shape."""
    return LedgerError(f"{where}: expected {expected}")


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """Any text of at most 2048 characters."""

    words: str = "text"

    def check(self, value: Json, where: str) -> None:
        """See :class:`Shape`."""
        if not isinstance(value, str) or len(value) > TEXT_CHARS_MAX:
            raise wrong(where, f"text of at most {TEXT_CHARS_MAX} characters")


@dataclasses.dataclass(frozen=True, slots=True)
class Pattern:
    """A text of one spelling, such as a digest or a time."""

    words: str
    regex: re.Pattern[str]

    def check(self, value: Json, where: str) -> None:
        """See :class:`Shape`."""
        if not isinstance(value, str) or self.regex.fullmatch(value) is None:
            raise wrong(where, self.words)


@dataclasses.dataclass(frozen=True, slots=True)
class Integer:
    """An integer from ``low`` to 2^53 - 1."""

    low: int = 0

    @property
    def words(self) -> str:
        """See :class:`Shape`."""
        return f"integer from {self.low}"

    def check(self, value: Json, where: str) -> None:
        """See :class:`Shape`."""
        # bool is an int to Python only.
        if not isinstance(value, int) or isinstance(value, bool) or not self.low <= value <= INTEGER_MAX:
            raise wrong(where, self.words)


@dataclasses.dataclass(frozen=True, slots=True)
class Boolean:
    """True or false."""

    words: str = "true or false"

    def check(self, value: Json, where: str) -> None:
        """See :class:`Shape`."""
        if not isinstance(value, bool):
            raise wrong(where, self.words)


@dataclasses.dataclass(frozen=True, slots=True)
class Null:
    """Nothing, said aloud."""

    words: str = "null"

    def check(self, value: Json, where: str) -> None:
        """See :class:`Shape`."""
        if value is not None:
            raise wrong(where, self.words)


class OneOf:
    """One of a few words."""

    def __init__(self, *values: str) -> None:
        self.values: Final = values
        self.words: Final = "one of " + ", ".join(f"`{value}`" for value in values)

    def check(self, value: Json, where: str) -> None:
        """See :class:`Shape`."""
        if value not in self.values:
            raise wrong(where, self.words)


class Either:
    """One of several shapes."""

    def __init__(self, *shapes: Shape) -> None:
        self.shapes: Final = shapes
        self.words: Final = " or ".join(shape.words for shape in shapes)

    def check(self, value: Json, where: str) -> None:
        """See :class:`Shape`."""
        for shape in self.shapes:
            try:
                return shape.check(value, where)
            except LedgerError:
                continue
        raise wrong(where, self.words)


class ListOf:
    """An array of one shape."""

    def __init__(self, item: Shape, count_max: int) -> None:
        self.item: Final = item
        self.count_max: Final = count_max
        self.words: Final = f"array of at most {count_max}: {item.words}"

    def check(self, value: Json, where: str) -> None:
        """See :class:`Shape`."""
        if not isinstance(value, list) or len(value) > self.count_max:
            raise wrong(where, f"an array of at most {self.count_max}")
        for index, item in enumerate(value):
            self.item.check(item, f"{where}[{index}]")


class MapOf:
    """An object whose member names are free and whose values have one shape."""

    def __init__(self, item: Shape, count_max: int) -> None:
        self.item: Final = item
        self.count_max: Final = count_max
        self.words: Final = f"object of at most {count_max} members: {item.words}"

    def check(self, value: Json, where: str) -> None:
        """See :class:`Shape`."""
        if not isinstance(value, dict) or len(value) > self.count_max:
            raise wrong(where, f"an object of at most {self.count_max} members")
        for index, (name, item) in enumerate(value.items()):
            # A free name could be content: say which by its place, not by its text.
            Text().check(name, f"{where}, name of member {index}")
            self.item.check(item, f"{where}, member {index}")


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One member: its name, shape and meaning."""

    name: str
    shape: Shape
    meaning: str
    is_required: bool = True


def optional(name: str, shape: Shape, meaning: str) -> Field:
    """A member that may be absent."""
    return Field(name, shape, meaning, is_required=False)


class Members:
    """An object with exactly these members; the optional ones may be absent."""

    words: Final = "object"

    def __init__(self, *fields: Field) -> None:
        self.fields: Final = fields
        self._shapes: Final = {field.name: field.shape for field in fields}
        self._required: Final = tuple(field.name for field in fields if field.is_required)

    def check(self, value: Json, where: str) -> None:
        """See :class:`Shape`."""
        if not isinstance(value, dict):
            raise wrong(where, "an object")
        for name in self._required:
            if name not in value:
                raise LedgerError(f"{where}.{name} is missing")
        for index, (name, item) in enumerate(value.items()):
            shape = self._shapes.get(name)
            if shape is None:
                raise LedgerError(f"{where}: member {index} is unknown; expected {', '.join(self._shapes)}")
            shape.check(item, f"{where}.{name}")


HEX_DIGEST: Final = Pattern("SHA-256 as 64 lower-case hex digits", re.compile("[0-9a-f]{64}"))
UUID: Final = Pattern("UUID in lower case", re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"))
UUID7: Final = Pattern(
    "UUIDv7 in lower case", re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
)
TIME: Final = Pattern(
    "UTC time as `2026-11-22T18:00:00.000000Z`",
    re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"),
)
SALT: Final = Pattern("16 bytes as base64url without padding", re.compile("[A-Za-z0-9_-]{21}[AQgw]"))
COMMITMENT: Final = Pattern("`hmac-sha256:` and 64 lower-case hex digits", re.compile("hmac-sha256:[0-9a-f]{64}"))
CODE: Final = Pattern("word of a-z, 0-9, `_`, `.` and `-`", re.compile("[a-z0-9_.-]{1,100}"))
