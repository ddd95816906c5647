"""Two wordings of a definition side by side, for people: which members differ, how each read before and reads now."""

import json
from collections.abc import Iterator
from typing import Final

from holdfast import jsontext
from holdfast.approval.visible import visible
from holdfast.jsontext import Json, JsonObject

MEMBERS_COUNT_MAX: Final = 20  # a tool has about eight
MEMBER_CHARS_MAX: Final = 4_000  # of one member; the whole of it is an object of the ledger
TEXT_CHARS_MAX: Final = 40_000
_NAME_CHARS_MAX: Final = 100


def changed_members(before: bytes | None, after: bytes) -> tuple[str, ...]:
    """The members of ``after`` that are not as in ``before``; none where that is not at hand."""
    if before is None:
        return ()
    old, new = _object(before), _object(after)
    names = sorted(name for name in {*old, *new} if name not in old or name not in new or old[name] != new[name])
    return tuple(visible(name[:_NAME_CHARS_MAX]) for name in names[:MEMBERS_COUNT_MAX])


def compare(before: bytes | None, after: bytes) -> str:
    """What changed, as text for a terminal: masked, cut, and with every unseen character spelled out."""
    if before is None:
        lines = ["what it was before is not at hand; what it is now:", *_spelled(_object(after))]
    else:
        lines = list(_differences(_object(before), _object(after)))
    text = "\n".join(lines)
    return text if len(text) <= TEXT_CHARS_MAX else f"{text[:TEXT_CHARS_MAX]}\n… and more, in the ledger's objects"


def _differences(old: JsonObject, new: JsonObject) -> Iterator[str]:
    names = sorted(name for name in {*old, *new} if name not in old or name not in new or old[name] != new[name])
    if not names:
        yield "nothing that is shown: what changed is under a mask"
    for name in names[:MEMBERS_COUNT_MAX]:
        shown = visible(name[:_NAME_CHARS_MAX])
        for word, members in (("before", old), ("now", new)):
            yield f"{shown}, {word}:"
            yield from _spelled(members[name]) if name in members else ("  (not there)",)
    if len(names) > MEMBERS_COUNT_MAX:
        yield f"and {len(names) - MEMBERS_COUNT_MAX} more members"


def _spelled(value: Json) -> Iterator[str]:
    text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
    for line in text[:MEMBER_CHARS_MAX].split("\n"):
        yield f"  {visible(line)}"
    if len(text) > MEMBER_CHARS_MAX:
        yield f"  … and {len(text) - MEMBER_CHARS_MAX} more characters"


def _object(data: bytes) -> JsonObject:
    value = jsontext.parse(data)
    return value if isinstance(value, dict) else {"definition": value}
