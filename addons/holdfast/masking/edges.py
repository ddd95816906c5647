r"""Edges of words: what is known of them in a text seen as bytes.

A pattern asks for ``\b``, or that no word character stands beside (``(?<!\w)``). Of ASCII both are told exactly. Of a
byte that stands for characters beyond ASCII nobody knows whether it belongs to a word.
"""

from typing import Final

from holdfast.masking.nodes import EMPTY, Barrier, Chars, Edge, Either, Node, Repeat, Sequence, sequence

BYTES_BEYOND: Final = frozenset(range(0x80, 0x100))  # what stands for characters beyond ASCII, some of words, some not
_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def resolved(node: Node, *, is_first: bool) -> Node:
    r"""``node`` without barriers: one is ``\b`` where it keeps word characters apart, else it is left out.

    Where ``node`` is the first of all, what must not stand before it is told as it is, in one barrier.
    """
    match node:
        case Sequence(items):
            front, rest = _front(items) if is_first else ([], items)
            is_next = is_first and not front
            inner = [
                item if isinstance(item, Barrier) else resolved(item, is_first=is_next and at == 0)
                for at, item in enumerate(rest)
            ]
            kept = [_edge(inner, at) if isinstance(item, Barrier) else item for at, item in enumerate(inner)]
            return sequence([*front, *(item for item in kept if item is not None)])
        case Either(branches):
            return Either(tuple(dict.fromkeys(resolved(branch, is_first=is_first) for branch in branches)))
        case Repeat(item, low, high):
            return Repeat(resolved(item, is_first=False), low, high)
        case Barrier():
            return EMPTY
        case _:
            return node


def _front(items: tuple[Node, ...]) -> tuple[list[Node], list[Node]]:
    """What must not stand before ``items``, as one barrier if there is any, and the rest of them."""
    start = next((at for at, item in enumerate(items) if not isinstance(item, Barrier | Edge)), len(items))
    before = [item for item in items[:start] if isinstance(item, Barrier) and item.direction < 0]
    if not before:
        return [], list(items)
    barrier = Barrier(-1, frozenset().union(*(item.members for item in before)))
    return [barrier], [item for at, item in enumerate(items) if at >= start or item not in before]


def _edge(items: list[Node], at: int) -> Edge | None:
    barrier = items[at]
    if not isinstance(barrier, Barrier) or not barrier.members >= _WORD:
        return None
    ahead = items[at + 1 :] if barrier.direction < 0 else items[:at][::-1]
    for item in ahead:
        if isinstance(item, Barrier | Edge):
            continue
        ends = _ends(item, barrier.direction)
        return Edge() if ends is not None and ends - BYTES_BEYOND <= _WORD else None
    return None


def byte_edges(node: Node) -> Node:
    r"""``node`` with edges only where ``\b`` over bytes is no narrower than what is meant.

    That is beside word characters of ASCII. Where such a character or one beyond ASCII may stand there, the edge is
    asked of the first only.
    """
    match node:
        case Sequence(items):
            return sequence(_with_edges([item if isinstance(item, Edge) else byte_edges(item) for item in items]))
        case Either(branches):
            return Either(tuple(dict.fromkeys(map(byte_edges, branches))))
        case Repeat(item, low, high):
            return Repeat(byte_edges(item), low, high)
        case _:
            return node


def _with_edges(items: list[Node]) -> list[Node]:
    left: list[Node] = []
    right = items[::-1]
    while right:
        item = right.pop()
        if not isinstance(item, Edge) or _is_of_word(left, 1) or _is_of_word(right, -1):
            left.append(item)
        elif left and (asked := _asked(left[-1], 1)) is not None:
            left[-1:] = asked
        elif right and (asked := _asked(right[-1], -1)) is not None:
            right[-1:] = asked[::-1]
    return left


def _is_of_word(beside: list[Node], side: int) -> bool:
    ends = _ends(beside[-1], side) if beside else None
    return ends is not None and ends <= _WORD


def _asked(node: Node, side: int) -> list[Node] | None:
    """``node`` in parts, with the edge that stands behind it (``side`` 1) or before it (-1); None where none can be."""
    match node:
        case Either(branches):
            return [Either(tuple(dict.fromkeys(_branch_asked(branch, side) for branch in branches)))]
        case Repeat(item, low, high) if low:
            # The one at the edge may be the only one.
            rest: list[Node] = [] if high == 1 else [Repeat(item, low - 1, None if high is None else high - 1)]
            return [*rest, _branch_asked(item, side)] if side > 0 else [_branch_asked(item, side), *rest]
        case Chars(members) if members <= _WORD | BYTES_BEYOND and not members.isdisjoint(_WORD):
            at_edge: list[Node] = [Chars(members & _WORD), Edge()]
            return [Either((Sequence(tuple(at_edge[::side])), Chars(members & BYTES_BEYOND)))]
        case _:
            return None


def _branch_asked(branch: Node, side: int) -> Node:
    items = list(branch.items) if isinstance(branch, Sequence) else [branch]
    return sequence(_with_edges([*items, Edge()] if side > 0 else [Edge(), *items]))


def _one_less(repeat: Repeat) -> Repeat:
    return Repeat(repeat.item, repeat.low - 1, None if repeat.high is None else repeat.high - 1)


def _ends(node: Node, direction: int) -> frozenset[int] | None:
    """The bytes that ``node`` can begin (direction -1) or end with; None where it may have none."""
    match node:
        case Chars(members):
            return members
        case Repeat(item, low, _):
            return _ends(item, direction) if low else None
        case Either(branches):
            ends = [_ends(branch, direction) for branch in branches]
            known = [end for end in ends if end is not None]
            return frozenset[int]().union(*known) if len(known) == len(ends) else None
        case Sequence(items):
            kept = [item for item in items if not isinstance(item, Barrier | Edge)]
            return _ends(kept[0 if direction < 0 else -1], direction) if kept else None
        case _:
            return None
