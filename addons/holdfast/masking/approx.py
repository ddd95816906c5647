r"""What any match of a pattern contains, as an expression over bytes: the filter that lets most texts pass unsearched.

It is derived from the pattern, and never narrower than it: lookarounds are left out (or taken as ``\b``, where they
are that; of characters that must not stand before a match, those of ASCII are told), a back-reference stands for
anything its group can match, and of what repeats or may be absent at the ends only the least is asked for. Each set of
characters is evaluated by the very module that runs the pattern, so that whatever case folding does is in it.

Texts are seen as :class:`~holdfast.masking.view.View` has them, one byte per character. There is an expression for
ASCII, and one for others: in that, each set has the bytes of all characters beyond ASCII that it may hold, and ``\b``
is asked only of characters of ASCII. Where a match begins with a lookahead that asks for more than what matches, it is
the lookahead that is looked for.
"""

import dataclasses
import functools
from typing import Any, Final

from holdfast.masking.edges import byte_edges, resolved
from holdfast.masking.extent import CASED_BYTE, DIGIT_BYTE, OTHER_BYTE, UnreadableError, ascii_members, set_of, trees_of
from holdfast.masking.literals import LETTERS_WITH_OTHER_CASES
from holdfast.masking.nodes import (
    EMPTY,
    Barrier,
    Chars,
    Edge,
    Either,
    Node,
    Repeat,
    Sequence,
    bits_min,
    length_min,
    members_of,
    possible,
    sequence,
    without_end,
    without_start,
    written,
)
from holdfast.masking.reading import codes, read

_BEYOND: Final = frozenset({CASED_BYTE, DIGIT_BYTE, OTHER_BYTE})
_CHARS_MAX: Final = 16  # one character of a larger set is no sign of anything
_EXPRESSION_CHARS_MAX: Final = 200_000  # what takes longer to write than to search


_AHEAD_MAX: Final = 64
NEVER: Final = "\\xff"  # no ASCII text holds it, and patterns for other texts always hold something


@dataclasses.dataclass(frozen=True, slots=True)
class Approximation:
    """Expressions for ASCII texts and for any other; around each match of the pattern, there is one of the expression.

    That one ends inside the match, or at most ``beyond`` characters behind it. ``members`` are the characters of ASCII
    that may stand from the beginning of the match to that end.
    """

    ascii: str
    wide: str
    beyond: int
    members: frozenset[int] = frozenset()


@functools.cache
def approximation_of(pattern: str, flags: int) -> Approximation | None:
    """What can be told of every match of ``pattern``; None where that is nothing, or says too little."""
    tree = read(pattern)
    if tree is None:
        return None
    whole, *fronts = [_pair(parts, flags) for parts in _ways(tree)]
    # A front that asks for no more than the body is not taken: the body says better where a match ends.
    best = max((one for one in (whole, *fronts) if one is not None), key=_asked_for, default=None)
    if whole is None or best is None:
        return None
    narrow, wide = map(_written, best.pair)
    return None if narrow is None or wide is None else Approximation(narrow, wide, best.beyond, best.members)


def to_end_of_run(known: Approximation, members: frozenset[int]) -> Approximation:
    """``known``, told at the end of the run of ``members`` and of characters beyond ASCII that it stands in.

    That is for a search that takes the whole of such runs: there it makes no difference, and hits are few.
    """
    narrow, wide = (Chars(members), Chars(members | _BEYOND))
    all_bytes = frozenset(range(0x100))
    ends = [
        f"{written(Repeat(run, 0, None))}(?:{written(Chars(all_bytes - run.members))}|\\z)" for run in (narrow, wide)
    ]
    return Approximation(known.ascii + ends[0], known.wide + ends[1], known.beyond + 1, known.members | members)


@dataclasses.dataclass(frozen=True, slots=True)
class _Told:
    """What is told for ASCII texts and for others; None: there no match is possible."""

    pair: tuple[Node | None, Node | None]
    beyond: int
    members: frozenset[int]


def _asked_for(told: _Told) -> float:
    narrow = told.pair[0]
    return bits_min(narrow) if narrow is not None else -1.0


def _pair(parts: "_Parts", flags: int) -> _Told | None:
    try:
        pair = _told(parts, flags, is_wide=False), _told(parts, flags, is_wide=True)
        reader = _Reader(flags, is_wide=False)
        members = [members_of(reader.sequence(tree)) for tree in (*parts.behind, parts.body, *parts.ahead)]
        return _Told(pair, parts.beyond, frozenset().union(*members))
    except UnreadableError:
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class _Parts:
    """What must stand before a match, what matches, and what must stand behind, where that has a length."""

    behind: list[Any]
    body: Any
    ahead: list[Any]
    beyond: int


def _ways(tree: Any) -> list[_Parts]:
    """What may be told of a match: of all of it, or of what it looks ahead for at its beginning."""
    items = list(tree)
    start, end = 0, len(items)
    while start < end and items[start][0] in (codes.ASSERT, codes.ASSERT_NOT, codes.AT):
        start += 1
    while end > start and items[end - 1][0] in (codes.ASSERT, codes.ASSERT_NOT, codes.AT):
        end -= 1
    behind = [argument[1] for code, argument in items[:start] if code is codes.ASSERT and argument[0] < 0][:1]
    ahead, fronts = (
        [
            tree
            for code, argument in part
            if code is codes.ASSERT and argument[0] > 0
            for tree in argument[1:2]
            if tree.getwidth()[0] > 0 and tree.getwidth()[1] <= _AHEAD_MAX
        ]
        for part in (items[end:], items[:start])
    )
    whole = _Parts(behind, items, ahead[:1], sum(tree.getwidth()[1] for tree in ahead[:1]))
    if not tree.getwidth()[0]:
        return [whole]  # a match of nothing ends before what it looks ahead for
    barriers = [(code, argument) for code, argument in items[:start] if code is codes.ASSERT_NOT and argument[0] < 0]
    return [whole, *(_Parts(behind, [*barriers, *front], [], front.getwidth()[1]) for front in fronts)]


def _told(parts: _Parts, flags: int, *, is_wide: bool) -> Node | None:
    """What no match can do without; None where there can be no match, an empty one where that cannot be told."""
    reader = _Reader(flags, is_wide=is_wide)
    # In the order of the text, since a reference names a group before it.
    found = [[reader.sequence(tree) for tree in trees] for trees in (parts.behind, [parts.body], parts.ahead)]
    nodes = [[possible(node) for node in part] for part in found]
    if any(node is None for part in nodes for node in part):
        return None
    first = nodes[0] or nodes[1]
    before, (node,), after = (
        [reader.settled(node, is_first=part is first) for node in part if node is not None] for part in nodes
    )
    node = node if after else without_end(node)
    node = node if before else without_start(node)
    if length_min(node) == 0:
        return EMPTY  # not even an end inside the match could be told
    return sequence([*before, node, *map(without_end, after)])


def _written(least: Node | None) -> str | None:
    if least is None:
        return NEVER
    if length_min(least) == 0 or _is_one_of_many(least):
        return None
    expression = written(least)
    return expression if len(expression) <= _EXPRESSION_CHARS_MAX else None


def _is_one_of_many(node: Node) -> bool:
    parts = node.items if isinstance(node, Sequence) else (node,)
    items = [part for part in parts if not isinstance(part, Edge | Barrier)]
    return len(items) == 1 and isinstance(items[0], Chars) and len(items[0].members) > _CHARS_MAX


class _Reader:
    """Reads one tree; remembers its groups for back-references."""

    def __init__(self, flags: int, *, is_wide: bool) -> None:
        self._flags = flags
        self._is_wide = is_wide
        self._groups: dict[int, Node] = {}

    def settled(self, node: Node, *, is_first: bool) -> Node:
        """``node`` with edges where they can be told, and no barriers but one before what ``is_first``."""
        node = resolved(node, is_first=is_first)
        return byte_edges(node) if self._is_wide else node

    def sequence(self, tree: Any) -> Node:
        return sequence([self._item(code, argument) for code, argument in tree])

    def _item(self, code: Any, argument: Any) -> Node:
        if code in (codes.ASSERT, codes.ASSERT_NOT):
            return self._look(code, *argument)
        if code is codes.AT:
            return Edge() if argument is codes.AT_BOUNDARY else EMPTY
        if code is codes.GROUPREF:
            if argument not in self._groups:
                raise UnreadableError  # inside the group itself
            return self._groups[argument]
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
            low, high, tree = argument
            return Repeat(self.sequence(tree), low, None if high is codes.MAXREPEAT else high)
        trees = trees_of(code, argument)
        if trees is None:
            return self._chars(code, argument)
        branches = [self.sequence(tree) for tree in trees]
        if code is codes.GROUPREF_EXISTS and len(branches) == 1:
            branches.append(EMPTY)
        node = branches[0] if len(branches) == 1 else Either(tuple(branches))
        if code is codes.SUBPATTERN and argument[0] is not None:
            self._groups[argument[0]] = node
        return node

    def _look(self, code: Any, direction: int, tree: Any) -> Node:
        if code is codes.ASSERT_NOT and len(tree) == 1 and trees_of(*tree[0]) is None:
            kind, argument = tree[0]
            if kind in (codes.LITERAL, codes.NOT_LITERAL, codes.ANY, codes.IN):
                return Barrier(direction, self._chars(kind, argument).members)
        return EMPTY

    def _chars(self, code: Any, argument: Any) -> Chars:
        members = ascii_members(set_of(code, argument), self._flags)
        return Chars(members | _beyond(code, argument) if self._is_wide else members)


def _beyond(code: Any, argument: Any) -> frozenset[int]:
    """Which of the two bytes that stand for characters beyond ASCII may be in a set."""
    if code is codes.IN:
        if argument[0][0] is codes.NEGATE:
            return _BEYOND
        return frozenset[int]().union(*(_beyond(*item) for item in argument))
    if code is codes.CATEGORY:
        if argument is codes.CATEGORY_DIGIT:
            return frozenset({DIGIT_BYTE})
        return frozenset({OTHER_BYTE}) if argument is codes.CATEGORY_SPACE else _BEYOND
    if code is codes.LITERAL:
        argument = (argument, argument)
    elif code is not codes.RANGE:
        return _BEYOND
    low, high = argument
    if high >= 0x80:  # noqa: PLR2004 -- ASCII
        return _BEYOND
    has_other_case = any(low <= ord(letter) <= high for letter in LETTERS_WITH_OTHER_CASES)
    return frozenset({CASED_BYTE}) if has_other_case else frozenset()
