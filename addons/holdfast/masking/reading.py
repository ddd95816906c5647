"""Regular expressions read as trees, so that what they need and how far they reach can be derived from them.

The standard library's parser reads them; the ``regex`` module runs them. An expression that the two might understand
differently is not read at all, and whoever asks must take it as one that can match anything, anywhere.
"""

import collections
import functools
import importlib
import warnings
from typing import Any, Final

import regex  # type: ignore[import-untyped] # it ships no types

_parser: Any = importlib.import_module("re._parser")
codes: Any = importlib.import_module("re._constants")
_ESCAPE: Final = regex.compile(r"\\.", regex.DOTALL)
# POSIX classes and fuzzy counts: the standard parser reads them too, as something else.
_OTHER_DIALECT: Final = regex.compile(r"\[:\^?\w+:\]|\{\s*\d*\s*[a-z<]|\(\?[a-zA-Z]*-")
# The ``regex`` module lets groups of several branches have one name; the standard parser does not.
_NAMED: Final = regex.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?P<(?P<name>\w+)>", regex.DOTALL)
_REFERENCE: Final = regex.compile(r"\\[1-9]|\(\?P=|\(\?\(")
AGAIN: Final = "_again_"  # stands between a name that comes again and how often it has come
_FLAGS_KNOWN: Final = 32 | 2  # UNICODE, which every text pattern has, and IGNORECASE


@functools.cache
def read(pattern: str) -> Any | None:
    """The tree of ``pattern``, or None where it cannot be read for certain."""
    if _OTHER_DIALECT.search(_ESCAPE.sub("", pattern)):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the standard parser warns of sets that a later version may read anew
            tree = _parser.parse(_with_names_once(pattern))
    except Exception:  # noqa: BLE001 -- whatever the parser cannot read stays unread
        return None
    return tree if tree.state.flags | _FLAGS_KNOWN == _FLAGS_KNOWN else None


def _with_names_once(pattern: str) -> str:
    """``pattern`` with another name for each group whose name comes again; as it is where it refers to a group.

    Groups of one name have one number too, so what refers to a group would mean another one.
    """
    if _REFERENCE.search(pattern):
        return pattern
    counts: collections.Counter[str] = collections.Counter()

    def renamed(match: Any) -> str:
        name, text = match["name"], str(match[0])
        counts[name] += 1
        return text if name is None or counts[name] == 1 else f"(?P<{name}{AGAIN}{counts[name]}>"

    return str(_NAMED.sub(renamed, pattern))
