"""What a Secret of Kubernetes holds, written as YAML: all of it is one, whatever it is called there.

::

    kind: Secret
    stringData:
      app.conf: |
        x=hunter2
"""

import dataclasses
import itertools
import re
from collections.abc import Iterator
from typing import Final

from holdfast.masking.members import SECRET
from holdfast.masking.named.cell import Cell, Matters, Spend, cell_of
from holdfast.masking.words import describes

_KIND: Final = re.compile(
    r"^(?:[ \t]{0,16}|[ ]{0,8}- )[\"']?kind[\"']?:[ \t]{1,4}[\"']?Secret[\"']?[ \t]{0,16}\r?$", re.MULTILINE
)
# Another document, or another item of a list.
_NEXT: Final = re.compile(r"^(?:---|[ ]{0,8}- (?=apiVersion:|kind:))", re.MULTILINE)
_HELD: Final = re.compile(r"^(?P<indent>[ ]{0,16})(?:data|stringData):[ \t]{0,16}\r?\n", re.MULTILINE)
_ENTRY: Final = re.compile(
    r"(?P<indent>[ ]{1,32})[\"']?(?P<name>[\w./-]{1,253})[\"']?:[ \t]{0,16}(?:[|>][+-]?\d?[ \t]{0,16}\r?$)?"
)
_LINE: Final = re.compile(r"[^\n]*(?:\n|\Z)")


def cells_of_manifests(text: str, matters: Matters, spend: Spend) -> Iterator[Cell]:
    """The values of every Secret in ``text``, if a rule is about passwords."""
    if "Secret" not in text or "kind" not in text or not matters(SECRET):
        return
    spend(len(text))
    starts = [0, *(match.start() for match in _NEXT.finditer(text)), len(text)]
    for start, end in itertools.pairwise(starts):
        if _KIND.search(text, start, end):
            for held in _HELD.finditer(text, start, end):
                yield from _entries(text, held.end(), end, len(held["indent"]), spend)


def _entries(text: str, at: int, last: int, outer: int, spend: Spend) -> Iterator[Cell]:
    """What stands in the lines from ``at`` on that are indented by more than ``outer``."""
    inner, value, is_told = 0, at, True
    while at < last:
        line = _LINE.match(text, at, last)
        if line is None or not line[0]:
            break
        spend(len(line[0]))
        indent = len(line[0]) - len(line[0].lstrip(" "))
        if line[0].strip() and indent <= outer:
            break
        inner = inner or indent
        entry = _ENTRY.match(text, at, line.end()) if indent == inner else None
        if entry is not None:
            if not is_told and (cell := cell_of(text, value, at, SECRET)):
                yield dataclasses.replace(cell, is_vague=True)
            value, is_told = entry.end(), describes(entry["name"])
        at = line.end()
    if not is_told and (cell := cell_of(text, value, at, SECRET)):
        yield dataclasses.replace(cell, is_vague=True)
