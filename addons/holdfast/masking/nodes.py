r"""Expressions over bytes, reduced to what a match cannot do without, and written so that any engine reads them.

What is written uses sets of bytes, groups, alternatives, repeats, ``\b`` and ``\A`` alone: Hyperscan and RE2 read that
alike.
"""

import dataclasses
import math
from typing import Final

# What a barrier keeps out for certain: a byte beyond ASCII stands for many characters, and a line feed before a text is
# what keeps it apart from others that are scanned with it.
_BARRED: Final = frozenset(range(0x80)) - frozenset(b"\n")
_ALL: Final = frozenset(range(0x100))
REPEATS_MAX: Final = 16  # more, or no limit, makes no difference to a filter, and much to the size of an automaton


@dataclasses.dataclass(frozen=True, slots=True)
class Chars:
    """One byte of a set."""

    members: frozenset[int]


@dataclasses.dataclass(frozen=True, slots=True)
class Edge:
    r"""The place between a word character and another: ``\b``."""


@dataclasses.dataclass(frozen=True, slots=True)
class Barrier:
    """No byte of a set may stand before this place (``direction`` -1) or behind it (1)."""

    direction: int
    members: frozenset[int]


@dataclasses.dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    items: tuple["Node", ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Either:
    """One of several."""

    branches: tuple["Node", ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Repeat:
    """``low`` to ``high`` times; None is any number."""

    item: "Node"
    low: int
    high: int | None


type Node = Chars | Edge | Barrier | Sequence | Either | Repeat

EMPTY: Final = Sequence(())


def sequence(items: list[Node]) -> Node:
    """``items`` one after the other, without sequences inside, barriers turned into edges where they are that."""
    flat: list[Node] = []
    for item in items:
        flat += item.items if isinstance(item, Sequence) else (item,)
    return Sequence(tuple(flat))


def possible(node: Node) -> Node | None:
    """``node`` without branches that hold an empty set of bytes, which nothing matches; None where nothing is left.

    Such are the letters beyond ASCII of a pattern, in texts that have none.
    """
    match node:
        case Chars(members):
            return node if members else None
        case Sequence(items):
            kept = [possible(item) for item in items]
            return None if None in kept else Sequence(tuple(item for item in kept if item is not None))
        case Either(branches):
            left = [branch for branch in map(possible, branches) if branch is not None]
            return Either(tuple(left)) if left else None
        case Repeat(item, low, high):
            inner = possible(item)
            return Repeat(inner, low, high) if inner is not None else (EMPTY if low == 0 else None)
        case _:
            return node


def members_of(node: Node) -> frozenset[int]:
    """Every byte that may stand in a match of ``node``."""
    match node:
        case Chars(members):
            return members
        case Sequence(items) | Either(items):
            return frozenset[int]().union(*map(members_of, items))
        case Repeat(item, _, _):
            return members_of(item)
        case _:
            return frozenset()


def length_min(node: Node) -> int:
    """The fewest bytes that ``node`` matches."""
    match node:
        case Chars():
            return 1
        case Sequence(items):
            return sum(map(length_min, items))
        case Either(branches):
            return min(map(length_min, branches), default=0)
        case Repeat(item, low, _):
            return low * length_min(item)
        case _:
            return 0


def bits_min(node: Node) -> float:
    """How much ``node`` asks for at least: bits, of the eight of each byte."""
    match node:
        case Chars(members):
            return 8 - math.log2(max(1, len(members)))
        case Sequence(items):
            return sum(map(bits_min, items))
        case Either(branches):
            return min(map(bits_min, branches), default=0.0)
        case Repeat(item, low, _):
            return low * bits_min(item)
        case _:
            return 0.0


def without_start(node: Node) -> Node:
    """``node`` without what its beginning can do without: every match of ``node`` ends with one of the result."""
    return _cut(node, 0)


def without_end(node: Node) -> Node:
    """``node`` without what its end can do without: every match of ``node`` begins with one of the result."""
    return _cut(node, -1)


def _cut(node: Node, end: int) -> Node:
    """``node`` with the item at ``end`` (0 or -1) cut down; what an edge or a barrier closes stays whole."""
    items: list[Node] = list(node.items) if isinstance(node, Sequence) else [node]
    if end == 0 and isinstance(items[0] if items else None, Barrier):
        return node
    while items:
        is_closed = isinstance(items[end], Edge)
        if is_closed and len(items) == 1:
            return EMPTY
        at = end + (1 if end == 0 else -1) * is_closed
        if length_min(items[at]) == 0:
            del items[at]
            if is_closed:
                del items[end]
        elif is_closed:
            break
        else:
            shorter = _least(items[at], end)
            if shorter == items[at]:
                break
            items[slice(0, 1) if end == 0 else slice(-1, None)] = (
                shorter.items if isinstance(shorter, Sequence) else (shorter,)
            )
    return sequence(items)


def _least(node: Node, end: int) -> Node:
    match node:
        case Repeat(item, 1, _):
            return item
        case Repeat(item, low, high) if high != low:
            return Repeat(item, low, low)
        case Either(branches) if end:
            return _fewest(tuple([_cut(branch, end) for branch in branches]))
        case _:
            return node


def _fewest(branches: tuple[Node, ...]) -> Node:
    """The branches without those that another begins, or one where there is no other."""
    spelled = {_spelling(branch): branch for branch in branches}
    if None in spelled:
        return Either(branches)
    words = {word: branch for word, branch in spelled.items() if word is not None}
    kept = [branch for word, branch in words.items() if not any(word[:end] in words for end in range(len(word)))]
    return kept[0] if len(kept) == 1 else Either(tuple(kept))


def _spelling(node: Node) -> tuple[tuple[int, ...], ...] | None:
    items = node.items if isinstance(node, Sequence) else (node,)
    if not all(isinstance(item, Chars) for item in items):
        return None
    return tuple(tuple(sorted(item.members)) for item in items if isinstance(item, Chars))


def written(node: Node) -> str:
    """``node`` as an expression."""
    match node:
        case Chars(members):
            return _set(members)
        case Edge():
            return r"\b"
        case Barrier(_, members):
            return rf"(?:\A|{_set(_ALL - (members & _BARRED))})"
        case Sequence(items):
            return "".join(map(written, items))
        case Either(branches):
            return f"(?:{'|'.join(map(written, branches))})"
        case Repeat(item, low, high):
            return f"(?:{written(item)}){_count(low, high)}"


def _count(low: int, high: int | None) -> str:
    if high is None or high > max(REPEATS_MAX, low):
        return {0: "*", 1: "+"}.get(low, f"{{{low},}}")
    return "?" if (low, high) == (0, 1) else f"{{{low},{high}}}"


def _set(members: frozenset[int]) -> str:
    assert members, "an empty set would take in what follows it"
    parts: list[str] = []
    for byte in sorted(members):
        if byte - 1 in members and parts:
            first = parts.pop()[:4]
            parts.append(f"{first}-\\x{byte:02x}")
        else:
            parts.append(f"\\x{byte:02x}")
    return f"[{''.join(parts)}]"
