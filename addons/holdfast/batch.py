"""The messages of one body, each judged by itself.

Only MCP 2025-03-26 has batches. There, an element that is refused does not sink the others: it is written down and
answered beside what the server says of the rest, and a batch of which nothing is left goes nowhere. A body of one
message is refused as a whole.
"""

import dataclasses
from typing import Final

from holdfast import capture, jsontext, judging, restoring
from holdfast.call import Body, Call, Message
from holdfast.errors import Cause, Refused
from holdfast.identity.caller import Caller
from holdfast.ledger.draft import Draft
from holdfast.masking.finding import Masked
from holdfast.passage import Watch
from holdfast.replies import told
from holdfast.stations import Stations, Trail

# These are about the whole request, or about the gateway, whatever element they were found at.
_OF_ALL: Final = frozenset({Cause.UNAUTHENTICATED, Cause.FORBIDDEN, Cause.UNAVAILABLE})


@dataclasses.dataclass(frozen=True, slots=True)
class Element:
    """A message that the access rule ``rule`` lets pass: as it was sent, and as it is ``judged``."""

    message: Message
    judged: Message
    masked: Masked
    rule: str


@dataclasses.dataclass(frozen=True, slots=True)
class Ready:
    """A message that may go on once ``draft`` is durable."""

    message: Message
    masked: Masked
    draft: Draft


async def judged(stations: Stations, trail: Trail, caller: Caller, body: Body) -> list[Element]:
    """The messages of ``body`` that the rules let pass, masked; what they refuse of a batch is turned away.

    Raises:
        Refused: the whole body is.
        MaskingError: the masker cannot vouch for one of them.
    """
    passed: list[tuple[restoring.Coming, str]] = []
    for message in body.messages:
        try:
            one = await restoring.coming(stations, trail, caller, message)
            passed.append((one, judging.judge(stations, trail, caller, one.judged, trail.scope)))
        except Refused as refused:
            _turn_away(trail, body, message, refused)
    elements: list[Element] = []
    for one, rule in passed:
        masked = await _masked(stations, trail, one)
        barred = masked.refusal()
        if barred is None:
            elements.append(Element(one.sent, one.judged, masked, rule))
        else:
            _turn_away(trail, body, one.sent, barred)
    return elements


async def _masked(stations: Stations, trail: Trail, one: restoring.Coming) -> Masked:
    server = trail.server.id
    schema = stations.catalogs.of(server).schemas(one.sent).arguments
    return one.into(await trail.force.masker.mask(one.sent, server=server, schema=schema))


async def drafted(
    stations: Stations, trail: Trail, caller: Caller, body: Body, elements: list[Element], watch: Watch
) -> list[Ready]:
    """Those of ``elements`` that may go on, each with its Record; a person may have had to agree.

    Raises:
        Refused: the whole body is.
    """
    found: list[Ready] = []
    for one in elements:
        try:
            draft = await judging.draft(stations, trail, caller, one.judged, one.masked, one.rule, watch)
            found.append(Ready(one.message, one.masked, draft))
        except Refused as refused:
            _turn_away(trail, body, one.message, refused)
    return found


def _turn_away(trail: Trail, body: Body, message: Message, refused: Refused) -> None:
    if not body.is_batch or refused.cause in _OF_ALL:
        raise refused
    trail.turned.append((message, refused))


async def turned_drafts(stations: Stations, trail: Trail) -> list[Draft]:
    """The Records of what was turned away."""
    drafts: list[Draft] = []
    for message, refused in trail.turned:
        masked = await trail.force.masker.mask(message, server=trail.server.id)
        data = jsontext.wire(message.to_json())
        engine = trail.force.engine
        drafts.append(capture.refused_draft(trail.base, refused, data, stations.request_key, masked.keep, engine))
    stations.counters.refused += len(drafts)
    return drafts


def answers_of(trail: Trail) -> tuple[Message, ...]:
    """What the client hears of what was turned away; nothing of a notification or a reply."""
    asked = [(message, refused) for message, refused in trail.turned if isinstance(message, Call)]
    return tuple(told(refused, call) for call, refused in asked if call.id is not None)
