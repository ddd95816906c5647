"""What gateway and worker say to each other about a message: JSON, read strictly on both sides.

A worker handles what strangers wrote, so its answers are read as if it were one: values of known types and nothing
else, never Python's own serialisation.
"""

import asyncio
import dataclasses
import itertools
import json
from collections.abc import Sequence
from typing import Any, Final

from holdfast.call import Call, Direction, Message, Reply
from holdfast.errors import MaskingError
from holdfast.jsontext import Json
from holdfast.masking.core import Task
from holdfast.masking.finding import Finding, Issued, Masked
from holdfast.masking.parts import Part, Parted
from holdfast.masking.place import Before

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_AT_ONCE_COUNT: Final = 1000  # findings, some 5 us each
UNREADABLE: Final = "what a masking worker said cannot be read"


def dump(value: Json) -> bytes:
    """``value`` as bytes. Lone surrogates, which folded texts may have, survive."""
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass")


def load(data: bytes) -> Json:
    """The value that ``data`` spells.

    Raises:
        MaskingError: none.
    """
    try:
        value: Json = json.loads(data.decode("utf-8", "surrogatepass"), parse_constant=_constant)
    except (ValueError, RecursionError):
        raise MaskingError(UNREADABLE) from None
    return value


def dump_answer(value: Json) -> bytes:
    """An answer in lines: how many members it has, then each of them, a list of many records in several lines."""
    if not isinstance(value, list):
        return dump(value)
    lines = [dump(len(value))]
    for at, member in enumerate(value):
        pieces = (
            itertools.batched(member, _AT_ONCE_COUNT, strict=False) if isinstance(member, list) and member else [member]
        )
        lines += [dump([at, list(piece) if isinstance(piece, tuple) else piece]) for piece in pieces]
    return b"\n".join(lines)


async def load_answer(data: bytes) -> Json:
    """The answer that :func:`dump_answer` wrote. Others have their turn between two lines of it.

    Raises:
        MaskingError: none.
    """
    head, *lines = data.split(b"\n")
    count = load(head)
    if not isinstance(count, int):
        return count
    members: list[Json] = []
    for line in lines:
        match load(line):
            case [int(at), value] if at == len(members) < count:
                members.append(value)
            case [int(at), list(more)] if members and at == len(members) - 1 and isinstance(last := members[-1], list):
                last += more
            case _:
                raise MaskingError(UNREADABLE)
        await asyncio.sleep(0)
    if len(members) != count:  # what is not said about a message would count as nothing to be said
        raise MaskingError(UNREADABLE)
    return members


def task_to_json(task: Task) -> Json:
    """``task`` for a worker."""
    return [_message_to_json(task.message), task.server, task.tool, task.shape, task.schema]


def task_of(value: Json) -> Task:
    """The task that a worker was given.

    Raises:
        MaskingError: it is none.
    """
    match value:
        case [list(message), str(server), str() | None as tool, str() | None as shape, dict() | None as schema]:
            return Task(_message_of(message), server, tool, shape, schema)
        case _:
            raise MaskingError(UNREADABLE)


def part_to_json(part: Part) -> Json:
    """A step of a text in pieces for a worker."""
    gone: list[Json] = [part.gone.raw, part.gone.forwarded, part.gone.kept]
    place: list[Json] = [part.server, part.tool, part.direction.value, part.path]
    return ["part", *place, part.back_chars, part.held, gone, part.is_last]


def part_of(value: Json) -> Part | None:
    """The step that a worker was given; None where the task is another. Raises MaskingError."""
    match value:
        case ["part", str(server), str() | None as tool, str(way), str(path), *rest]:
            return _part_at(Part(server, tool, direction_of(way), path, 0), rest)
        case _:
            return None


def _part_at(place: Part, rest: list[Json]) -> Part:
    match rest:
        case [int(back_chars), str(held), [str(raw), str(forwarded), str(kept)], bool(is_last)]:
            gone = Before(raw, forwarded, kept)
            return dataclasses.replace(place, back_chars=back_chars, held=held, gone=gone, is_last=is_last)
        case _:
            raise MaskingError(UNREADABLE)


def parted_to_json(done: Parted) -> Json:
    """What came of a step."""
    found, barred = records_to_json(done.findings), records_to_json(done.refused)
    return [done.taken_count, done.forward, done.keep, found, barred, done.late_count]


async def parted_of(value: Json, part: Part) -> Parted:
    """What a worker made of ``part``.

    Raises:
        MaskingError: it said something else.
    """
    match value:
        case [int(taken), str(forward), str(keep), list(findings), list(refused), int(late)] if (
            0 <= taken <= len(part.held)
        ):
            found, barred = await records_of(Finding, findings), await records_of(Finding, refused)
            return Parted(taken, forward, keep, found, barred, late)
        case _:
            raise MaskingError(UNREADABLE)


def masked_to_json(masked: Masked, message: Message) -> Json:
    """What became of ``message``. What travels as it came, or is kept as it travels, is not said twice."""
    forward = None if _is_untouched(masked.forward, message) else _message_to_json(masked.forward)
    keep = None if masked.keep == masked.forward else _message_to_json(masked.keep)
    found, barred = records_to_json(masked.findings), records_to_json(masked.refused)
    return [forward, keep, found, records_to_json(masked.issued), barred]


async def masked_of(value: Json, message: Message) -> Masked:
    """What a worker made of ``message``. Of many findings some at a time, so that others have their turn in between.

    Raises:
        MaskingError: it said something else.
    """
    match value:
        case [list() | None as forward, list() | None as keep, list(findings), list(issued), list(refused)]:
            forwarded = message if forward is None else _message_of(forward, type(message))
            kept = forwarded if keep is None else _message_of(keep, type(message))
            found, barred = await records_of(Finding, findings), await records_of(Finding, refused)
            return Masked(forwarded, kept, found, await records_of(Issued, issued), refused=barred)
        case _:
            raise MaskingError(UNREADABLE)


def _constant(_name: str) -> Json:
    raise ValueError


def _is_untouched(forward: Message, message: Message) -> bool:
    names = [field.name for field in dataclasses.fields(message)]
    return all(getattr(forward, name) is getattr(message, name) for name in names)


def _message_to_json(message: Message) -> Json:
    if isinstance(message, Call):
        return ["call", message.method, message.params, message.id, message.direction.value, message.extra]
    return ["reply", message.id, message.result, message.error, message.direction.value, message.extra]


def _message_of(value: list[Json], kind: type[Message] | None = None) -> Message:
    message = _any_message_of(value)
    if kind is not None and not isinstance(message, kind):
        raise MaskingError(UNREADABLE)
    return message


def _any_message_of(value: list[Json]) -> Message:
    match value:
        case ["call", str(method), params, str() | int() | None as asked, str(direction), dict(extra)]:
            return Call(method, params, asked, direction_of(direction), extra)
        case ["reply", str() | int() | None as asked, result, dict() | None as error, str(direction), dict(extra)]:
            return Reply(asked, result, error, direction_of(direction), extra)
        case _:
            raise MaskingError(UNREADABLE)


def direction_of(text: str) -> Direction:
    """The direction called ``text``. Raises MaskingError."""
    try:
        return Direction(text)
    except ValueError:
        raise MaskingError(UNREADABLE) from None


def records_to_json(records: Sequence[Finding | Issued]) -> Json:
    """Findings, or masks that may come back."""
    return [[getattr(record, field.name) for field in dataclasses.fields(record)] for record in records]


async def records_of[T: (Finding, Issued)](kind: type[T], values: list[Json]) -> tuple[T, ...]:
    """What :func:`records_to_json` made of some of one ``kind``. Raises MaskingError."""
    kinds = tuple(_kind_of(field.type) for field in dataclasses.fields(kind))
    records: list[T] = []
    for some in itertools.batched(values, _AT_ONCE_COUNT, strict=False):
        records += [kind(*_members_of(value, kinds)) for value in some]
        await asyncio.sleep(0)
    return tuple(records)


def _members_of(value: Json, kinds: tuple[Any, ...]) -> list[Any]:
    if not isinstance(value, list) or len(value) != len(kinds):
        raise MaskingError(UNREADABLE)
    if not all(isinstance(member, wanted) for member, wanted in zip(value, kinds, strict=True)):
        raise MaskingError(UNREADABLE)
    return value


def _kind_of(stated: Any) -> Any:
    return int | float if stated is float else stated  # 1.0 may be spelled 1
