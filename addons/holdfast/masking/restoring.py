"""Masks that a Caller sends back, and the values in their place: so that a masked argument still works.

Only what goes to the server has the values. What is kept, shown and logged has the masks as the Caller sent them.
"""

import dataclasses
import re
from collections.abc import Callable, Container
from typing import Final

from holdfast import jsontext
from holdfast.call import Call, Message
from holdfast.errors import Cause, Refused
from holdfast.jsontext import Json, JsonObject
from holdfast.masking.finding import Finding, Masked
from holdfast.masking.joining import write_sequence, writer_of
from holdfast.masking.place import JSON_IN_TEXT_MAX
from holdfast.masking.vault import RUN, Given, Spelling

RESTORED_COUNT_MAX: Final = 1_000  # in one message; more is a data set, and not the argument of a tool
RECOGNIZER: Final = "restore"
# What the protocol reads to find its way; no value of a server's belongs there.
_NOT_IN: Final = frozenset({"name", "_meta", "cursor", "requestState", "model"})


type _Steps = tuple[str | int, ...]  # names and indices on the way to a value


class Restorer:
    """Puts values in the place of the masks of one message, and remembers where."""

    def __init__(self, given: Given, keep_text: Callable[[str], str], only: Container[str] | None = None) -> None:
        """``keep_text`` masks the names in paths; of ``only`` these masks, where that is stated, values come back."""
        self._given = given
        self._keep_text = keep_text
        self._only = only
        self.tokens: set[str] = set()
        self.findings: list[Finding] = []

    def message(self, message: Message) -> Message:
        """``message`` with the values; itself where it has no such mask.

        Raises:
            Refused: TOO_LARGE, more masks than a message may have.
        """
        if isinstance(message, Call):
            params = self._members(message.params, ("params",))
            return message if params is message.params else dataclasses.replace(message, params=params)
        result = self._members(message.result, ("result",))
        return message if result is message.result else dataclasses.replace(message, result=result)

    def _members(self, value: Json, at: _Steps) -> Json:
        if not isinstance(value, dict):
            return self._value(value, at, 0)
        changed = {name: item if name in _NOT_IN else self._value(item, (*at, name), 0) for name, item in value.items()}
        return value if all(changed[name] is item for name, item in value.items()) else changed

    def _value(self, value: Json, at: _Steps, level: int) -> Json:
        if isinstance(value, str):
            return self._text(value, at, level)
        if isinstance(value, bool) or value is None or isinstance(value, float):
            return value
        if isinstance(value, int):
            return self._number(value, at)
        if isinstance(value, list):
            items = [self._value(item, (*at, index), level) for index, item in enumerate(value)]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        return self._object(value, at, level)

    def _object(self, value: JsonObject, at: _Steps, level: int) -> JsonObject:
        changed: JsonObject = {}
        for name, item in value.items():
            restored = self._plain(name, at)
            if restored in changed or (restored != name and restored in value):
                restored = name  # two members must not become one
            changed[restored] = self._value(item, (*at, name), level)
        same = all(name in changed and changed[name] is item for name, item in value.items())
        return value if same else changed

    def _text(self, text: str, at: _Steps, level: int) -> str:
        if level < JSON_IN_TEXT_MAX and text.lstrip()[:1] in ("{", "["):
            try:
                value = jsontext.parse_text(text)
            except jsontext.JsonError:
                return self._sequence(text, at, level)
            restored = self._value(value, at, level + 1)
            return text if restored is value else writer_of(text)(restored)
        return self._plain(text, at)

    def _sequence(self, text: str, at: _Steps, level: int) -> str:
        """A text with objects in a row, as masking reads one; any other text as it stands."""
        try:
            parts = jsontext.parse_sequence(text)
        except jsontext.JsonError:
            return self._plain(text, at)
        values: Json = [value for *_, value in parts]
        return write_sequence(text, parts, self._value(values, at, level + 1))

    def _plain(self, text: str, at: _Steps) -> str:
        if not self._given.may_stand_in(text):
            return text
        parts: list[str] = []
        done = 0
        for run in RUN.finditer(text):
            one = self._found_at(text, run, done)
            if one is None:
                continue
            start = run.start() - one.offset
            parts += [text[done:start], one.value]
            done = start + len(one.token)
            self._note(one, at)
        return "".join((*parts, text[done:])) if parts else text

    def _found_at(self, text: str, run: re.Match[str], done: int) -> Spelling | None:
        for one in self._given.spellings(run[0]):
            start = run.start() - one.offset
            end = start + len(one.token)
            stands = start >= done and text.startswith(one.token, start) and _stands_alone(text, start, end)
            if stands and (self._only is None or one.token in self._only):
                return one
        return None

    def _number(self, value: int, at: _Steps) -> int:
        one = self._given.number(str(abs(value)))
        if one is None or (self._only is not None and one.token not in self._only):
            return value
        self._note(one, at)
        return int(one.value) if value >= 0 else -int(one.value)

    def _note(self, one: Spelling, at: _Steps) -> None:
        if len(self.findings) >= RESTORED_COUNT_MAX:
            raise Refused(
                Cause.TOO_LARGE,
                f"more than {RESTORED_COUNT_MAX} masks of a message stand for values",
                rule=one.rule,
                next_step="Send fewer of them at once.",
            )
        self.tokens.add(one.token)
        steps = (str(step) if isinstance(step, int) else self._keep_text(step) for step in at)
        path = "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)
        self.findings.append(Finding(one.rule, one.entity, path, len(one.token), 1.0, RECOGNIZER))


@dataclasses.dataclass(frozen=True, slots=True)
class Restored:
    """A message as rules and approvals judge it, and where masks were restored in it."""

    message: Message
    findings: tuple[Finding, ...] = ()
    tokens: frozenset[str] = frozenset()


def restore(message: Message, given: Given | None, keep_text: Callable[[str], str]) -> Restored:
    """``message`` with the values of what its Caller was ``given``.

    Raises:
        Refused: TOO_LARGE.
    """
    if given is None:
        return Restored(message)
    restorer = Restorer(given, keep_text)
    changed = restorer.message(message)
    return Restored(changed, tuple(restorer.findings), frozenset(restorer.tokens))


def forwarded(masked: Masked, message: Message, restored: Restored, given: Given | None) -> Masked:
    """``masked``, of ``message``, with the values in what is forwarded, and only there."""
    if given is None or not restored.findings:
        return masked
    forward = restored.message
    if masked.forward != message:  # other values are masked on their way to the server, and stay so
        forward = Restorer(given, str, restored.tokens).message(masked.forward)
    return dataclasses.replace(masked, forward=forward, restored=restored.findings)


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no word goes on over the ends of what would be replaced."""
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    return not (_is_word(before) and _is_word(text[start])) and not (_is_word(after) and _is_word(text[end - 1]))


def _is_word(char: str) -> bool:
    return char.isalnum() or char == "_"
