"""What is told to the client of a streamed reply, and what every reader of such a stream does."""

import dataclasses
from typing import Final, Protocol

from holdfast import jsontext
from holdfast.call import Id, Reply
from holdfast.errors import Cause, Refused
from holdfast.jsontext import JsonObject
from holdfast.llm.texts import Key
from holdfast.masking.pieces import Pair
from holdfast.sse import Event

DONE: Final = "[DONE]"  # how streams of OpenAI end
NO_TEXT: Final[Pair] = ("", "")


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """One event: its ``data`` without the text that goes at ``at``; that as forwarded and as kept.

    ``data`` is None for the mark that ends a stream of OpenAI's. ``is_fixed`` is an event that says nothing, the same
    whatever the server sent.
    """

    data: JsonObject | None
    name: str | None = None
    at: Key = ()
    text: Pair = NO_TEXT
    is_fixed: bool = False


class Teller(Protocol):
    """Follows the events of one API: what may be told of each, and what reply they make together."""

    ended: bool

    async def take(self, event: Event) -> list[Told]:
        """What may be told now that ``event`` has come.

        Raises:
            Refused: an event that the API does not have, or that contradicts the ones before.
            MaskingError: the masker cannot vouch for a text.
        """

    def reply(self, call_id: Id) -> Reply:
        """The whole reply, unmasked, as it would have come without a stream. Only after the end."""


def parsed(event: Event) -> JsonObject:
    """The data of ``event``.

    Raises:
        Refused: MALFORMED, no JSON object, or a name that differs from the type that the data states.
    """
    try:
        data = jsontext.parse_text(event.data or "")
    except jsontext.JsonError as error:
        raise Refused(Cause.MALFORMED, f"an event is no acceptable JSON: {error}") from None
    if not isinstance(data, dict):
        raise Refused(Cause.MALFORMED, "an event is no JSON object")
    # Clients dispatch by the one or by the other.
    if event.name not in (None, "message", data.get("type")):
        raise Refused(Cause.MALFORMED, "an event has another name than its type")
    return data


def integer(data: JsonObject, name: str) -> int:
    """The member ``name``, an index.

    Raises:
        Refused: SERVER_FAULT, it is none.
    """
    value = data.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(Cause.SERVER_FAULT, f"an event has no {name}")
    return value


def says_something(value: object) -> bool:
    """Whether there is anything in ``value`` besides indices and what is empty."""
    if isinstance(value, dict):
        return any(says_something(item) for name, item in value.items() if name != "index")
    if isinstance(value, list):
        return any(says_something(item) for item in value)
    return value not in (None, "")
