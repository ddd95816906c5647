"""Who says which value where, and both sides of the talk."""

import dataclasses
import json
from typing import Any, Final

from tests.live.harness.upstream import Talk, http, reply_to
from tests.live.harness.wire import Wire, request
from tests.live.harness.world import World, call, result
from tests.live.leaks import from_client, from_server
from tests.live.leaks.planted import KINDS, Planted, make_planted

CALLS_OF_A_CALLER: Final = 200  # rules/budgets.yaml lets one Caller make 1,200 a minute
_NUMBER: Final = "step"
_CLIENT: Final = from_client.DATA | from_client.PROTOCOL | from_client.BROKEN
_SERVER: Final = from_server.DATA | from_server.PROTOCOL | from_server.BROKEN
PLACES: Final = [("client", name) for name in _CLIENT] + [("server", name) for name in _SERVER]


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One value, who says it, and where."""

    value: Planted
    side: str
    place: str

    @property
    def is_data(self) -> bool:
        """Whether what travels is masked there too: protocol fields travel as they are."""
        return self.place in (from_client.DATA if self.side == "client" else from_server.DATA)


def plan(count: int, seed: int) -> list[Step]:
    """``count`` steps: every kind of value comes to every place in turn."""
    planted = make_planted((KINDS[number // len(PLACES) % len(KINDS)] for number in range(count)), seed)
    return [Step(value, *PLACES[value.number % len(PLACES)]) for value in planted]


class Server:
    """The server's part: it says what the step that a call names has it say, and is polite otherwise."""

    def __init__(self, steps: list[Step]) -> None:
        self._steps = steps

    def __call__(self, talk: Talk) -> None:
        while heard := talk.hear():
            head, body = heard
            number = _number(body)
            if number is not None:
                step = self._steps[number]
                talk.say(_SERVER[step.place](step.value.text))
                return
            talk.say(_polite(body) if head.startswith(b"POST") else http("405 No", b""))


def _polite(body: bytes) -> bytes:
    asked: Any = json.loads(body)
    if isinstance(asked, list):
        return http("200 OK", json.dumps([result(one["id"]) for one in asked]).encode())
    return reply_to(body)


def _number(body: bytes) -> int | None:
    try:
        asked: Any = json.loads(body)
        return int(asked["params"]["arguments"][_NUMBER])
    except (ValueError, KeyError, TypeError):
        return None


def take(step: Step, port: int, world: World) -> tuple[int, bytes]:
    """The client's part of ``step``: the status of the answer, 0 where there was none, and all that was heard."""
    token = world.token("mcp-users", sub=f"caller-{step.value.number // CALLS_OF_A_CALLER}")
    wire = Wire(port)
    try:
        if step.side == "client":
            wire.send(_CLIENT[step.place](token, step.value.text))
        else:
            wire.send(request(token, call(arguments={_NUMBER: step.value.number})))
        status = wire.answer().status
    except (AssertionError, ConnectionError):  # the gateway hung up: some of what is said is no HTTP
        status = 0
    finally:
        wire.close()
    return status, bytes(wire.heard)
