"""The texts of one streamed reply: each arrives in pieces of its own, is held back, and goes on masked."""

import dataclasses
from collections.abc import Callable
from typing import Final

from holdfast.errors import Cause, Refused
from holdfast.jsontext import Json, JsonObject
from holdfast.masking.llm_shapes import LLM_SHAPES
from holdfast.masking.pieces import Pair, Pieces
from holdfast.masking.shape import Mode

TEXTS_COUNT_MAX: Final = 1000  # choices, blocks and tool calls of one reply; each may hold 64 Ki characters
CHARS_MAX: Final = 4 * 1024 * 1024  # of all texts of a reply together: the limit of a body
INDEX_MAX: Final = 10_000
# Members whose text is JSON: nobody acts on half of it, and its keys decide what in it is masked.
WHOLE: Final = ("arguments", "partial_json", "input")
_PLAIN: Final = frozenset(
    name for name, mode in LLM_SHAPES["llm.item"].members.items() if mode in (Mode.PROTOCOL, Mode.BLOB, Mode.URL)
)

type Key = tuple[str | int, ...]
type Open = Callable[[str, bool], Pieces]  # the path that the whole text will have, and whether it is held to its end


@dataclasses.dataclass(slots=True)
class _Text:
    pieces: Pieces
    raw: list[str]
    is_over: bool = False


class Texts:
    """The texts of a reply by key: where in it they stand."""

    def __init__(self, opened: Open) -> None:
        self._open = opened
        self._texts: dict[Key, _Text] = {}
        self._chars = 0

    async def add(self, key: Key, text: str, path: str) -> Pair:
        """What may go on of the text at ``key``, now that ``text`` has come. ``path`` is where it will stand at last.

        Raises:
            Refused: SERVER_FAULT: too much, or a text that went on after its end.
            MaskingError: see :meth:`holdfast.masking.pieces.Pieces.add`.
        """
        known = self._texts.get(key)
        if known is None:
            if len(self._texts) >= TEXTS_COUNT_MAX:
                raise Refused(Cause.SERVER_FAULT, f"a reply has more than {TEXTS_COUNT_MAX} texts")
            known = self._texts[key] = _Text(self._open(path, str(key[-1]).endswith(WHOLE)), [])
        self._chars += len(text)
        if known.is_over:
            raise Refused(Cause.SERVER_FAULT, "a text of the reply goes on after its end")
        if self._chars > CHARS_MAX:
            raise Refused(Cause.SERVER_FAULT, f"the reply has more than {CHARS_MAX} characters")
        known.raw.append(text)
        return await known.pieces.add(text)

    async def finish(self, key: Key) -> Pair:
        """The rest of the text at ``key``.

        Raises:
            MaskingError: see :meth:`holdfast.masking.pieces.Pieces.finish`.
        """
        known = self._texts[key]
        known.is_over = True
        return await known.pieces.finish()

    def open_at(self, *beginning: str | int) -> list[Key]:
        """The keys that begin so and whose text is not over, in the order in which they came."""
        size = len(beginning)
        return [key for key, text in self._texts.items() if key[:size] == beginning and not text.is_over]

    def raw(self, *beginning: str | int) -> list[tuple[Key, str]]:
        """Every text whose key begins so, unmasked."""
        size = len(beginning)
        return [(key, "".join(text.raw)) for key, text in self._texts.items() if key[:size] == beginning]

    @property
    def late_count(self) -> int:
        """How many values were known for what they are only after their beginning had gone."""
        return sum(text.pieces.late_count for text in self._texts.values())


def lift(value: Json, path: Key = ()) -> tuple[Json, list[tuple[Key, str]]]:
    """``value`` with its texts emptied, and those with their paths. Ids, types and base64 stay where they are.

    An item of an array is known by its member ``index``, which tells the parts of several tool calls apart.
    """
    if isinstance(value, list):
        pairs = [lift(item, (*path, index_of(item, place))) for place, item in enumerate(value)]
        return [pair[0] for pair in pairs], [found for pair in pairs for found in pair[1]]
    if not isinstance(value, dict):
        return value, []
    left: JsonObject = {}
    texts: list[tuple[Key, str]] = []
    for name, item in value.items():
        if isinstance(item, str) and name not in _PLAIN:
            left[name] = ""
            texts += [((*path, name), item)] if item else []
        else:
            left[name], found = lift(item, (*path, name))
            texts += found
    return left, texts


def nest(path: Key) -> tuple[JsonObject, Key]:
    """A delta that holds an empty text at ``path`` alone, and the steps that lead to it there."""
    value: Json = ""
    for step in reversed(path):
        if isinstance(step, str):
            value = {step: value}
        else:
            value = [{"index": step, **(value if isinstance(value, dict) else {})}]
    if not isinstance(value, dict):
        raise TypeError("a path begins with a name")
    return value, tuple(step if isinstance(step, str) else 0 for step in path)


def index_of(item: Json, default: int | None = None) -> int:
    """The member ``index`` of ``item``.

    Raises:
        Refused: SERVER_FAULT, it is none.
    """
    index = item.get("index", default) if isinstance(item, dict) else default
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index <= INDEX_MAX:
        raise Refused(Cause.SERVER_FAULT, "an event has no index that can be")
    return index


def put(target: Json, steps: Key, text: Json) -> None:
    """Set what stands at ``steps`` of ``target``, making what is missing on the way."""
    *way, last = steps
    for step, following in zip(way, steps[1:], strict=True):
        target = _inner(target, step, [] if isinstance(following, int) else {})
    _set(target, last, text)


def _inner(target: Json, step: str | int, default: Json) -> Json:
    if isinstance(target, dict) and isinstance(step, str):
        if not isinstance(target.get(step), dict | list):
            target[step] = default
        return target[step]
    if isinstance(target, list) and isinstance(step, int):
        while len(target) <= step:
            target.append({})
        return target[step]
    raise Refused(Cause.SERVER_FAULT, "an event changes the form of the reply")


def _set(target: Json, step: str | int, value: Json) -> None:
    if not isinstance(target, dict) or not isinstance(step, str):
        raise Refused(Cause.SERVER_FAULT, "an event changes the form of the reply")
    target[step] = value
