"""JSON as the gateway reads and writes it: strict in, one spelling out.

Two parsers that disagree about one text are a bypass: a server that takes the last of two ``name`` members runs a tool
that the gateway never judged. So whatever two readers could read differently is refused here, and what travels on is
always the re-serialised parse.
"""

import hashlib
import json
import math
import re
from typing import Final

# Containers are treated as frozen: whoever changes a value builds a new one.
type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type JsonObject = dict[str, Json]

DEPTH_MAX: Final = 64  # MCP messages nest about ten deep; JSON in strings has a depth budget of its own
INT_DIGITS_MAX: Final = 308  # JavaScript reads 10**309 as Infinity (IEEE 754); and int() is quadratic


class JsonError(ValueError):
    """A text is not JSON that every reader reads alike. The message never quotes the text."""


def _members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JsonError("an object has the same member twice")
    return members


def _constant(name: str) -> Json:
    raise JsonError(f"{name} is not JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JsonError("a number is too large")
    return number


def _int(text: str) -> int:
    if len(text.removeprefix("-")) > INT_DIGITS_MAX:
        raise JsonError(f"a number has more than {INT_DIGITS_MAX} digits")
    return int(text)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members, parse_constant=_constant, parse_float=_float, parse_int=_int, strict=True
)
_BLANKS: Final = re.compile(r"[ \t\r\n]*")  # RFC 8259 2
_WIRE: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_CANONICAL: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), sort_keys=True)


def depth_of(value: Json) -> int:
    """How many arrays and objects enclose the innermost value; 0 for a scalar."""
    level, depth = [value], 0
    while level:
        inner: list[Json] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        containers = [item for item in level if isinstance(item, dict | list)]
        depth += bool(containers)
        level = inner
    return depth


def values_count(value: Json) -> int:
    """How many names, texts, numbers, arrays and objects ``value`` consists of, itself included."""
    level, count = [value], 0
    while level:
        count += len(level)
        inner: list[Json] = []
        for item in level:
            if isinstance(item, dict):
                count += len(item)
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        level = inner
    return count


def parse(data: bytes, *, depth_max: int = DEPTH_MAX) -> Json:
    """The JSON value that ``data`` spells, if there is only one way to read it.

    Raises:
        JsonError: not UTF-8, a byte order mark, a lone surrogate, a member twice, NaN or Infinity, a number no peer can
            hold, nested deeper than ``depth_max``, or no JSON at all.
    """
    try:
        text = data.decode("utf-8", "strict")
    except UnicodeDecodeError as error:
        raise JsonError(f"not UTF-8 at byte {error.start}") from None
    return parse_text(text, depth_max=depth_max)


def parse_text(text: str, *, depth_max: int = DEPTH_MAX) -> Json:
    r"""Like :func:`parse`, for text already decoded (JSON inside a string).

    Raises:
        JsonError: see :func:`parse`.
    """
    if text.startswith("\ufeff"):
        raise JsonError("starts with a byte order mark")
    try:
        value: Json = _DECODER.decode(text)
    except JsonError:
        raise
    except RecursionError:
        raise JsonError(f"nested deeper than {depth_max}") from None
    except ValueError as error:
        position = getattr(error, "pos", 0)
        raise JsonError(f"not JSON at character {position}") from None
    return _checked(value, text, depth_max)


def parse_sequence(text: str, *, depth_max: int = DEPTH_MAX) -> list[tuple[int, int, Json]]:
    """Objects and arrays one after the other, with nothing but blanks between: start, end and value of each.

    Raises:
        JsonError: see :func:`parse`; also for any other value, and for other text between them.
    """
    found: list[tuple[int, int, Json]] = []
    at = _behind_blanks(text, 0)
    while at < len(text):
        if text[at] not in "{[":
            raise JsonError(f"neither an object nor an array at character {at}")
        try:
            value, end = _DECODER.raw_decode(text, at)
        except JsonError:
            raise
        except (RecursionError, ValueError):
            raise JsonError(f"not JSON from character {at} on") from None
        found.append((at, end, _checked(value, text[at:end], depth_max)))
        at = _behind_blanks(text, end)
    return found


def _behind_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return at if blanks is None else blanks.end()


def _checked(value: Json, text: str, depth_max: int) -> Json:
    # Few brackets cannot nest deep; only then is the walk worth its time.
    if text.count("[") + text.count("{") > depth_max and depth_of(value) > depth_max:
        raise JsonError(f"nested deeper than {depth_max}")
    # RFC 8259 8.2: lone surrogates are read differently by every parser. An escape is the only way to write one here.
    if "\\u" in text and _has_lone_surrogate(value):
        raise JsonError("a string has a lone surrogate")
    return value


def _has_lone_surrogate(value: Json) -> bool:
    try:
        _WIRE.encode(value).encode("utf-8", "strict")
    except UnicodeEncodeError:
        return True
    return False


def wire(value: Json) -> bytes:
    """``value`` as compact UTF-8 JSON, members in the order they came in: what travels on."""
    return _WIRE.encode(value).encode("utf-8")


def canonical(value: Json) -> bytes:
    """``value`` as compact UTF-8 JSON with sorted members: what is digested, signed and kept."""
    return _CANONICAL.encode(value).encode("utf-8")


def digest_hex(value: Json) -> str:
    """SHA-256 of the canonical form, as 64 lower-case hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()
