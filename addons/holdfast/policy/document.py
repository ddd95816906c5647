"""A strict reader of rule files: every mistake is named with file, line and key.

YAML's safe loader builds the values; duplicate keys, aliases and unknown keys are errors. A :class:`Section` is a
mapping that hands out its members by type and, when :meth:`Section.done` is called, complains about any that nobody
asked for.
"""

import dataclasses
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, cast

import yaml

from holdfast.errors import RulesError
from holdfast.jsontext import Json
from holdfast.policy.yamltext import StrictLoader, construct, is_json

FILE_BYTES_MAX: Final = 1024 * 1024  # a rule file is read by people
REGEX_CHARS_MAX: Final = 2000  # a longer expression hides what it matches

type Scalar = str | int | float | bool | None


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A rule file as it was read: what the ledger keeps by digest."""

    name: str
    data: bytes


def read_source(path: Path) -> Source:
    """The bytes of the rule file at ``path``.

    Raises:
        RulesError: missing, unreadable or too large.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RulesError(path.name, 1, f"cannot be read: {error.strerror}", f"Put the file at {path}") from None
    if len(data) > FILE_BYTES_MAX:
        raise RulesError(path.name, 1, f"has {len(data)} bytes, more than {FILE_BYTES_MAX}", "Split the rules")
    return Source(path.name, data)


def parse_document(source: Source) -> "Section":
    """The top mapping of a rule file.

    Raises:
        RulesError: not UTF-8 YAML, more than one document, or no mapping at the top.
    """
    try:
        text = source.data.decode("utf-8", "strict")
        loader = StrictLoader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise RulesError(source.name, 1, f"not UTF-8 at byte {error.start}", "Save the file as UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise RulesError(source.name, line, f"not YAML: {error.problem}", "Correct the line") from None
    except yaml.YAMLError:
        raise RulesError(source.name, 1, "not YAML: a character that YAML forbids", "Remove it") from None
    except RecursionError:
        raise RulesError(source.name, 1, "nested too deep to be read", "Rules nest a few levels only") from None
    if not isinstance(node, yaml.MappingNode):
        raise RulesError(source.name, 1, "the file is no mapping", "Begin with `version: 1`")
    return Section(source.name, node, "")


class Section:
    """One mapping of a rule file. Ask for its members by type, then call :meth:`done`.

    Every getter raises :class:`~holdfast.errors.RulesError` naming file, line and key when the member is missing
    (unless a default was given) or has another type.
    """

    def __init__(self, file: str, node: yaml.MappingNode, path: str) -> None:
        self.file = file
        self.line = node.start_mark.line + 1
        self.path = path
        self._members: dict[str, yaml.Node] = {}
        self._asked: set[str] = set()
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
            line = key_node.start_mark.line + 1
            if key is None:
                raise RulesError(file, line, "a key is not a text", "Use a plain word as key")
            if key in self._members:
                raise RulesError(file, line, f"the key {self._at(key)} stands twice", "Keep one of them")
            self._members[key] = value_node

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def keys(self) -> tuple[str, ...]:
        """The keys, in the order of the file."""
        return tuple(self._members)

    def line_of(self, key: str) -> int:
        """The line on which the value of ``key`` begins."""
        node = self._members.get(key)
        return node.start_mark.line + 1 if node else self.line

    def error(self, key: str, problem: str, remedy: str) -> RulesError:
        """An error about the value of ``key``, to be raised by the one who understands it."""
        return RulesError(self.file, self.line_of(key), f"{self._at(key)} {problem}", remedy)

    def __contains__(self, key: str) -> bool:
        return key in self._members

    def _node(self, key: str, *, optional: bool) -> yaml.Node | None:
        self._asked.add(key)
        node = self._members.get(key)
        if node is None and not optional:
            raise RulesError(self.file, self.line, f"{self._at(key)} is missing", f"Add `{key}:` here")
        return node

    def raw(self, key: str, default: object = ...) -> object:
        """The value of ``key`` as plain Python values, whatever it is (examples, JSON)."""
        node = self._node(key, optional=default is not ...)
        return default if node is None else construct(self.file, node)

    def _typed[T](self, key: str, kind: type[T], what: str, default: T | None | object) -> T:
        node = self._node(key, optional=default is not ...)
        if node is None:
            return cast("T", default)
        value = construct(self.file, node)
        # bool is an int to Python; a rule that says `true` for a number is a mistake.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.error(key, f"is not {what}", f"Write {what} there")
        return value

    def json(self, key: str, default: Json | object = ...) -> Json:
        """The value of ``key`` as JSON."""
        value = self.raw(key, default)
        if not is_json(value):
            raise self.error(key, "holds what JSON cannot", "Put dates and special numbers in quotes")
        return cast("Json", value)

    def text(self, key: str, default: str | None | object = ...) -> str:
        """A text."""
        return self._typed(key, str, "a text", default)

    def text_or_none(self, key: str) -> str | None:
        """A text, or None where the key is absent."""
        self._asked.add(key)
        return self.text(key) if key in self else None

    def flag(self, key: str, *, default: bool | object = ...) -> bool:
        """`true` or `false`."""
        return self._typed(key, bool, "true or false", default)

    def integer(self, key: str, default: int | object = ..., *, low: int = 0, high: int = 2**31) -> int:
        """A whole number from ``low`` to ``high``."""
        value = self._typed(key, int, "a whole number", default)
        if not low <= value <= high:
            raise self.error(key, f"is {value}", f"Write a number from {low} to {high}")
        return value

    def number(self, key: str, default: float | object = ..., *, low: float, high: float) -> float:
        """A number from ``low`` to ``high``."""
        value = self._typed(key, cast("type[float]", (int, float)), "a number", default)
        if not low <= value <= high:
            raise self.error(key, f"is {value}", f"Write a number from {low} to {high}")
        return float(value)

    def choice(self, key: str, allowed: Sequence[str], default: str | object = ...) -> str:
        """One of the words in ``allowed``."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.error(key, f"is {value!r}", f"Use one of: {', '.join(allowed)}")
        return value

    def texts(self, key: str, default: Sequence[str] | object = ...) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        node = self._node(key, optional=default is not ...)
        if node is None:
            return tuple(cast("Sequence[str]", default))
        value = construct(self.file, node)
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self.error(key, "is no list of texts", 'Write [a, b], with numbers in quotes ("1")')
        return tuple(items)

    def regex(self, key: str, default: re.Pattern[str] | None | object = ...) -> re.Pattern[str] | None:
        """A regular expression of Python's `re`, compiled."""
        if key not in self and default is not ...:
            self._asked.add(key)
            return cast("re.Pattern[str] | None", default)
        text = self.text(key)
        return compile_regex(text, lambda problem: self.error(key, problem, "Correct it"))

    def section(self, key: str) -> "Section | None":
        """The mapping under ``key``, or None where the key is absent."""
        node = self._node(key, optional=True)
        if node is None:
            return None
        if not isinstance(node, yaml.MappingNode):
            raise self.error(key, "is no mapping", "Indent `key: value` lines under it")
        return Section(self.file, node, self._at(key))

    def sections(self, key: str) -> Iterator["Section"]:
        """The mappings of the list under ``key``; nothing where the key is absent."""
        node = self._node(key, optional=True)
        if node is None:
            return
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(key, "is no list", "Begin each entry with `- `")
        for index, item in enumerate(node.value):
            if not isinstance(item, yaml.MappingNode):
                line = item.start_mark.line + 1
                raise RulesError(self.file, line, f"{self._at(key)}[{index}] is no mapping", "Write `- id: …`")
            yield Section(self.file, item, f"{self._at(key)}[{index}]")

    def done(self) -> None:
        """Complain about a key that nobody asked for."""
        for key in self._members:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                raise self.error(key, "is not known", f"Remove it or use one of: {known}")


def require_version(section: Section) -> None:
    """Check that a rule file says ``version: 1``.

    Raises:
        RulesError: it says another version, or none.
    """
    section.integer("version", low=1, high=1)


def compile_regex(text: str, error: Callable[[str], RulesError]) -> re.Pattern[str]:
    """``text`` compiled; what ``error`` makes of the problem is raised where it does not compile, or not clearly."""
    if len(text) > REGEX_CHARS_MAX:
        raise error(f"has {len(text)} characters, more than {REGEX_CHARS_MAX}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # "possible nested set": it means something else in the next Python
            return re.compile(text)
    except re.error as problem:
        raise error(f"is no regular expression: {problem.msg} at {problem.pos}") from None
    except Warning as problem:
        raise error(f"is a doubtful regular expression: {problem}") from None
    except (OverflowError, RecursionError):
        raise error("is a regular expression beyond what can be compiled") from None
