"""What rules say about the values that a text names: spans, like those of patterns."""

from collections.abc import Callable, Iterator
from typing import Final

from holdfast.masking.budget import Budget
from holdfast.masking.force import Force
from holdfast.masking.keys import KeyForces
from holdfast.masking.named.blocks import cells_of_blocks
from holdfast.masking.named.cell import Cell, Matters, Spend, has_one
from holdfast.masking.named.chats import cells_of_chats
from holdfast.masking.named.declared import cells_of_code
from holdfast.masking.named.directories import cells_of_directories
from holdfast.masking.named.lines import cells_of_lines
from holdfast.masking.named.logins import cells_of_logins
from holdfast.masking.named.mailed import cells_of_mailed
from holdfast.masking.named.manifests import cells_of_manifests
from holdfast.masking.named.markup import cells_of_markup
from holdfast.masking.named.pairs import cells_of_pairs, cells_of_tuples
from holdfast.masking.named.segments import cells_of_segments
from holdfast.masking.named.spoken import cells_of_forms
from holdfast.masking.named.sql import cells_of_sql
from holdfast.masking.spans import Span
from holdfast.masking.tools import Tools
from holdfast.masking.unscanned import LeafError
from holdfast.masking.words import name_context, name_words

KEY_RECOGNIZER: Final = "key"
type _Finder = Callable[[str, Matters, Spend], Iterator[Cell]]

# Far from their name, so that a word of it is no context for them in the text.
_APART: Final[tuple[_Finder, ...]] = (cells_of_lines, cells_of_sql)
_MAILED: Final[tuple[_Finder, ...]] = (cells_of_mailed,)
_BESIDE: Final[tuple[_Finder, ...]] = (
    *(cells_of_markup, cells_of_blocks, cells_of_pairs, cells_of_tuples),
    *(cells_of_forms, cells_of_segments, cells_of_manifests, cells_of_logins, cells_of_code),
    *(cells_of_directories, cells_of_chats, *_MAILED),
)
_NOTHING: Final = frozenset({"\\n", "null", "(null)", "nil", "none", "n/a", "nan", "undefined", "-", "--", "..."})
_VAGUE: Final = 0.3  # less than anything that a pattern finds
_CHARS_MIN: Final = 8
_SIGNS: Final = (  # without one of them there is nothing to find
    *("\n", ": [", '"', "'", "<", "&lt;", "&amp;lt;", "\\u003", " into ", " INTO ", "]=", "%5D=", "%5d=", " from "),
    *(
        "SecureString\t",
        "PID|",
        "NK1|",
        "GT1|",
        "NM1*",
        "DMG*",
        "REF*",
        "COM+",
        "CTA+",
        "REG_",
        "--from-",
        "sudo ",
        "secret set ",
        "WIFI:",
        "${",
        "\0",
        " |",
        " │",
    ),
)
_NAME_CHARS: Final = 16  # to look a name up costs as much as to give as many characters to a pattern


class Values:
    """Looks for named values in texts, by the rules of what is in force."""

    def __init__(self, forces: KeyForces, tools: Tools) -> None:
        self._forces = forces
        self._tools = tools

    def spans(self, text: str, budget: Budget) -> list[Span]:
        """The spans of values that their name gives away.

        Raises:
            MaskingError: masking takes too long.
        """
        if len(text) < _CHARS_MIN:
            return []
        if has_one(text, _SIGNS):
            return self._spans(text, budget, _APART, _BESIDE)
        return self._spans(text, budget, (), _MAILED) if "@" in text else []

    def _spans(self, text: str, budget: Budget, far: tuple[_Finder, ...], near: tuple[_Finder, ...]) -> list[Span]:
        budget.spend(len(text))

        def matters(name: str) -> bool:
            budget.spend(_NAME_CHARS)
            return self._forces.knows(name) or self._forces.gives_context(name)

        def is_known(name: str) -> bool:
            budget.spend(_NAME_CHARS)
            return self._forces.knows(name)

        apart = (cell for finder in far for cell in finder(text, matters, budget.spend))
        beside = (cell for finder in near for cell in finder(text, is_known, budget.spend))
        return [span for cells in (apart, beside) for cell in cells for span in self._of(text, cell, budget)]

    def _of(self, text: str, cell: Cell, budget: Budget) -> Iterator[Span]:
        value = text[cell.start : cell.end] if cell.said is None else cell.said
        budget.spend(len(value))
        for name in cell.names:
            force = self._forces.of(name)
            if (
                force is not None
                and value.lower() not in _NOTHING
                and not _repeats(value, name)
                and self._wants(force, value, budget)
            ):
                score = _VAGUE if cell.is_vague else 1.0
                yield Span(cell.start, cell.end, force.entity, score, KEY_RECOGNIZER, force.id)
                return
        context = name_context(cell.names[0]) if any(map(str.isdigit, value)) else ()
        for span in self._tools.scan(value, context, budget) if context and cell.said is None else ():
            yield Span(
                span.start + cell.start, span.end + cell.start, span.entity, span.score, span.recognizer, span.rule
            )

    def _wants(self, force: Force, value: str, budget: Budget) -> bool:
        try:
            said = self._tools.without_masks(value)
            return force.wants(said, budget.search_s) and not self._tools.is_mask(value, force.entity)
        except TimeoutError:
            raise LeafError(f"rule {force.id} takes too long over a value") from None


def _repeats(value: str, name: str) -> bool:
    """Whether ``value`` only says in words what it is, as labels of a form do: ``Enter your password``."""
    if not value.replace(" ", "").rstrip(".:?!*").isalpha():
        return False
    words = name_words(name)
    return bool(words) and words[-1] in name_words(value)
