"""What a Caller was given in masks, and what comes back of it: the vault between replies and the calls after them."""

import asyncio
import dataclasses
from typing import Final

from holdfast.call import Call, Message
from holdfast.identity.caller import Caller
from holdfast.masking.finding import Issued, Masked
from holdfast.masking.restoring import Restored, forwarded, restore
from holdfast.masking.vault import Given
from holdfast.passage import Admission
from holdfast.policy.servers import Server
from holdfast.stations import Stations, Trail

INLINE_BYTES_MAX: Final = 64 * 1024  # a longer body may take more than 10 ms to look through: not on the event loop


@dataclasses.dataclass(frozen=True, slots=True)
class Coming:
    """A message on its way to the server: as it was ``sent``, and as rules and approvals judge it."""

    sent: Message
    restored: Restored
    given: Given | None

    @property
    def judged(self) -> Message:
        """The message with the values that it stands for."""
        return self.restored.message

    def into(self, masked: Masked) -> Masked:
        """``masked``, of what was sent, with the values in what is forwarded."""
        return forwarded(masked, self.sent, self.restored, self.given)


async def coming(stations: Stations, trail: Trail, caller: Caller, message: Message) -> Coming:
    """``message`` as ``caller`` sent it and as it is meant.

    Raises:
        Refused: TOO_LARGE, more masks in it than can be put back.
        MaskingError: the masker cannot vouch for the name of a member.
    """
    name = message.name if isinstance(message, Call) else None
    in_force = trail.force.rules.masking.in_force_for(trail.server.id, name, message.direction)
    entities = frozenset(rule.entity for rule in in_force.entities if rule.restores)
    if not entities:
        return Coming(message, Restored(message), None)
    given = stations.vault.given(caller.key, _home(trail.server), entities, _now_s(stations))
    if given is None:
        return Coming(message, Restored(message), None)
    keep_text = trail.force.masker.keep_text
    if len(trail.request.body) <= INLINE_BYTES_MAX:
        return Coming(message, restore(message, given, keep_text), given)
    return Coming(message, await asyncio.to_thread(restore, message, given, keep_text), given)


def give(stations: Stations, admission: Admission, issued: tuple[Issued, ...]) -> None:
    """Remember what the Caller of ``admission`` is given. Only once the Record about it is durable."""
    if issued:
        stations.vault.give(admission.caller.key, _home(admission.server), issued, _now_s(stations))


def _home(server: Server) -> str:
    # Rules may send the same name to another host: a value belongs to the host that told it.
    return f"{server.id} {server.upstream}"


def _now_s(stations: Stations) -> float:
    return stations.clock.monotonic_ns() / 1e9
