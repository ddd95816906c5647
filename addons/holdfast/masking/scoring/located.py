"""Where in a text masking found something, told from the masked text.

A masked text is the text with each finding replaced by ``<ENTITY>``; what stands between the masks stands in the text
in the same order. How long each finding was is known from the findings, so where they stood follows. Where a text was
read as JSON the lengths are those of decoded strings; then what lies between two masks is looked for instead.
"""

import dataclasses
import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from holdfast.call import Direction
from holdfast.masking.automata import Automata
from holdfast.masking.budget import Budget
from holdfast.masking.engine import Scanner
from holdfast.masking.entries import EntityRule, MaskingRules
from holdfast.masking.keys import KeyForces
from holdfast.masking.paths import Paths
from holdfast.masking.place import Place
from holdfast.masking.scoring.labelled import Label
from holdfast.masking.spelling import Spelling, Unit, as_it_stands, respelled
from holdfast.masking.tools import Tools
from holdfast.masking.walk import Walk

_KEY: Final = bytes(32)  # masks are compared with nothing
_WRITTEN: Final = re.compile(r"\s+|(?:\\u[0-9a-fA-F]{4}|\\/)+")  # what may be written otherwise


class Locator:
    """Masks texts by ``rules``, and says where."""

    def __init__(self, rules: MaskingRules, automata: Automata | None = None) -> None:
        """Build the engine; ``automata`` saves compiling anew. Raises MaskingError."""
        in_force = dataclasses.replace(rules.in_force, entities=_plain(rules.in_force.entities))
        self._rules = dataclasses.replace(
            rules, entities=_plain(rules.entities), in_force=in_force, overrides=(), paths=()
        )
        self._tools = Tools.of(self._rules, in_force, Scanner(self._rules, _KEY, automata), _KEY)
        self._forces = KeyForces(self._rules, in_force)
        names = "|".join(sorted(map(re.escape, self._tools.entities), key=len, reverse=True)) or "(?!)"
        self._mask = re.compile(f"<({names})>")

    def locate(self, text: str) -> list[Label]:
        """Where ``text``, as the text of a tool's result, is masked.

        Raises:
            MaskingError: the engine cannot vouch for the text.
        """
        paths = Paths(self._rules, "", None, Direction.TO_CLIENT)
        walk = Walk(self._tools, self._forces, paths, Direction.TO_CLIENT, Budget())
        masked = walk.text(text, Place(""))[1]
        if masked == text:
            return []
        pieces = self._mask.split(masked)
        lengths = [finding.length for finding in walk.findings]
        exact = _by_lengths(text, pieces, lengths)
        return exact if exact is not None else list(_by_search(text, pieces))


def _plain(entities: Iterable[EntityRule]) -> tuple[EntityRule, ...]:
    return tuple(dataclasses.replace(rule, operator="replace", forward="both") for rule in entities)


def _by_lengths(text: str, pieces: list[str], lengths: list[int]) -> list[Label] | None:
    found: list[Label] = []
    at = len(pieces[0])
    if not text.startswith(pieces[0]) or len(lengths) != len(pieces) // 2:
        return None
    for entity, literal, length in zip(pieces[1::2], pieces[2::2], lengths, strict=True):
        found.append(Label(at, at + length, entity))
        at += length
        if not text.startswith(literal, at):
            return None
        at += len(literal)
    return found if at == len(text) else None


def _by_search(text: str, pieces: list[str]) -> Iterator[Label]:
    """Where text was written anew around the masks: blanks between values and escapes in strings may differ."""
    plain = _plainly(text)
    at = _common(plain.text, 0, _plainly(pieces[0]).text)
    for number in range(1, len(pieces), 2):
        literal = _plainly(pieces[number + 1]).text
        # A number that was masked stands in quotes now.
        wanted = literal.removeprefix('"') if 0 < at <= len(plain.text) and plain.text[at - 1] != '"' else literal
        end = plain.text.find(wanted, at + 1) if wanted else len(plain.text)
        end = end if end >= 0 else len(plain.text)  # all that is left counts as masked rather than too little
        if at < end:
            start, stop = plain.span(at, end)
            yield Label(start, start + len(text[start:stop].rstrip()), pieces[number])
        at = end + len(wanted)


def _plainly(text: str) -> Spelling:
    return respelled(text, _WRITTEN, _read) or as_it_stands(text)


def _read(match: re.Match[str]) -> list[Unit]:
    said = match.group()
    return [("" if said.isspace() else str(json.loads(f'"{said}"')), len(said))]


def _common(text: str, at: int, literal: str) -> int:
    while at < min(len(text), len(literal)) and text[at] == literal[at]:
        at += 1
    return at
