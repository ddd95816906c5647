"""The definitions in a Reply: which there are, and what becomes of each."""

from holdfast.call import Call, Message, Reply
from holdfast.governing import Entry, Examined, entry_of, examine, examine_instructions
from holdfast.jsontext import Json
from holdfast.listing import GREETINGS, INSTRUCTIONS, LISTS, Shape
from holdfast.passage import Admission
from holdfast.policy.definitions import Described
from holdfast.stations import Stations


async def of_reply(stations: Stations, admission: Admission, asked: Message, reply: Reply, kept: Message) -> Examined:
    """What ``reply`` to ``asked`` says of tools, prompts, resources or the server itself; ``kept`` is it, masked."""
    if not isinstance(asked, Call) or not isinstance(kept, Reply) or not isinstance(reply.result, dict):
        return Examined()
    server, shape = admission.server.id, LISTS.get(asked.method)
    if shape is not None:
        entries = _entries(stations, server, shape, reply.result.get(shape.member), kept.result)
        return await examine(stations, admission, entries)
    sent = reply.result.get(INSTRUCTIONS)
    if asked.method not in GREETINGS or not isinstance(sent, str):
        return Examined()
    shown = kept.result.get(INSTRUCTIONS) if isinstance(kept.result, dict) else None
    return await examine_instructions(stations, admission, server, sent, shown if isinstance(shown, str) else "")


def _entries(stations: Stations, server: str, shape: Shape, sent: Json, kept_result: Json) -> list[tuple[int, Entry]]:
    """The entries of a list that name what they are about; the others are shown to nobody."""
    kept = kept_result.get(shape.member) if isinstance(kept_result, dict) else None
    if not isinstance(sent, list) or not isinstance(kept, list):
        return []
    found: list[tuple[int, Entry]] = []
    for index, (one, masked) in enumerate(zip(sent, kept, strict=True)):
        name = one.get(shape.names) if isinstance(one, dict) else None
        kept_name = masked.get(shape.names) if isinstance(masked, dict) else None
        if isinstance(name, str) and isinstance(kept_name, str):
            found.append((index, entry_of(stations, Described(shape.kind, server, name), kept_name, one, masked)))
    return found
