"""`screens:` of `rules/tools.yaml`: what a server says of itself is read for what steers a model or hides from people.

Every screen that is about a definition reads it, whole: names, descriptions, schemas. What cannot be read within the
budget counts as found.
"""

import dataclasses
import enum
import re
from typing import Final

from holdfast.jsontext import Json
from holdfast.policy.definitions import KINDS, About, Described, parse_about, parse_described
from holdfast.policy.document import Section
from holdfast.policy.names import Reading, fold_name
from holdfast.policy.pattern import Fit, Pattern, parse_pattern
from holdfast.policy.scope import parse_id
from holdfast.policy.texts import search, texts_of

SERVER: Final = "server"  # the kind of a server's own `instructions`
SCREENED: Final = (*KINDS, SERVER)
SCREENS_COUNT_MAX: Final = 200
PATTERNS_COUNT_MAX: Final = 50  # of one screen; they share a budget
# A flag of a region, which is the one honest use of tag characters: a black flag, its code, a cancel tag (UTS 51).
_FLAG: Final = re.compile("\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{2,6}\U000e007f")
# Tags; bidirectional embeddings, overrides and isolates; zero-width space, word joiner and invisible operators, byte
# order mark; variation selectors that no script uses; joiners beside plain letters, where they join nothing.
_UNSEEN: Final = re.compile(
    "[\U000e0000-\U000e007f\U000e0100-\U000e01ef\u202a-\u202e\u2066-\u2069\u200b\u2060-\u2064\ufeff\u180e\u115f\u1160"
    "\u3164\uffa0]|[!-~][\u200c\u200d]|[\u200c\u200d][!-~]|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)


class Effect(enum.Enum):
    """What becomes of a definition in which a screen found something."""

    RECORD = "record"
    HIDE = "hide"
    REFUSE = "refuse"


@dataclasses.dataclass(frozen=True, slots=True)
class ScreenExample:
    """A definition, and the names of tools at other servers."""

    described: Described
    definition: Json
    elsewhere: frozenset[str]
    line: int


@dataclasses.dataclass(frozen=True, slots=True)
class Screen:
    """One screen: it looks for ``text``, for unseen characters, or for the name of another server's tool."""

    id: str
    description: str
    effect: Effect
    about: About
    text: tuple[Pattern, ...]
    unseen: bool
    shadows: bool
    line: int
    matches: tuple[ScreenExample, ...] = ()
    passes: tuple[ScreenExample, ...] = ()

    def finds(self, described: Described, definition: Json, elsewhere: frozenset[str]) -> bool:
        """Whether there is something to be found in ``definition``.

        Args:
            described: what it is of.
            definition: as the server sent it.
            elsewhere: the folded names of the tools of other servers.
        """
        if self.about.why_not(described) is not None:
            return False
        if self.text and search(self.text, definition) is not Fit.FAILS:
            return True
        if self.unseen and any(has_unseen(text) for text in texts_of(definition)):
            return True
        return self.shadows and described.kind == "tool" and fold_name(described.name) in elsewhere


def has_unseen(text: str) -> bool:
    """Whether ``text`` has characters that a model reads and a person does not see, or sees in another order."""
    return _UNSEEN.search(text if text.isascii() else _FLAG.sub("", text)) is not None


def parse_screens(section: Section, seen: set[str]) -> tuple[Screen, ...]:
    """The rules under ``screens``.

    Raises:
        RulesError: names file, line and key.
    """
    screens = tuple(_screen(entry, seen) for entry in section.sections("screens"))
    if len(screens) > SCREENS_COUNT_MAX:
        raise section.error("screens", f"has {len(screens)} entries", f"Keep it under {SCREENS_COUNT_MAX}")
    return screens


def _screen(entry: Section, seen: set[str]) -> Screen:
    screen = Screen(
        id=parse_id(entry, seen),
        description=entry.text("description"),
        effect=Effect(entry.choice("effect", tuple(effect.value for effect in Effect))),
        about=parse_about(entry, SCREENED, Reading.WIDE),
        text=_patterns(entry),
        unseen=entry.flag("unseen", default=False),
        shadows=entry.flag("shadows", default=False),
        line=entry.line,
        matches=tuple(_example(one) for one in entry.sections("matches")),
        passes=tuple(_example(one) for one in entry.sections("passes")),
    )
    if (bool(screen.text), screen.unseen, screen.shadows).count(True) != 1:
        raise entry.error("id", "belongs to a screen that looks for nothing, or for several things",
                          "Write one of: text, `unseen: true`, `shadows: true`")  # fmt: skip
    entry.done()
    return screen


def _patterns(entry: Section) -> tuple[Pattern, ...]:
    texts = entry.texts("text", ())
    if "text" in entry and not 0 < len(texts) <= PATTERNS_COUNT_MAX:
        raise entry.error("text", f"has {len(texts)} patterns", f"Write 1 to {PATTERNS_COUNT_MAX} expressions")
    return tuple(parse_pattern(entry, "text", text) for text in texts)


def _example(entry: Section) -> ScreenExample:
    described = parse_described(entry, SCREENED)
    definition = entry.json("definition", {})
    elsewhere = frozenset(fold_name(name) for name in entry.texts("elsewhere", ()))
    entry.done()
    return ScreenExample(described, definition, elsewhere, entry.line)
