"""A gateway, its server and its clients, and the check that ends every hazard test."""

import contextlib
from collections.abc import Iterator
from typing import Any

from tests.live.harness.gateway import Gateway
from tests.live.harness.upstream import Script, Upstream
from tests.live.harness.wire import Answer, Pairs, Wire, request
from tests.live.harness.world import LOOSE, SAID_BY_CALLER, SAID_BY_SERVER, World, call


class Bench:
    """What a hazard test works with."""

    def __init__(self, gateway: Gateway, upstream: Upstream, world: World) -> None:
        self.gateway = gateway
        self.upstream = upstream
        self.world = world
        self.token = world.token("mcp-users")
        self._wires: list[Wire] = []

    def wire(self) -> Wire:
        wire = Wire(self.gateway.port)
        self._wires.append(wire)
        return wire

    def serve(self, script: Script) -> None:
        """Let the server talk like ``script`` from its next connection on."""
        self.upstream.begin(script)

    def request(self, body: object = None, **more: Any) -> bytes:
        return request(self.token, body, **more)

    def ask(self, body: object = None, *, headers: Pairs = (), **more: Any) -> Answer:
        """One request on a connection of its own."""
        with self.wire() as wire:
            wire.send(request(self.token, body, headers=headers, **more))
            return wire.answer()

    def tell(self, data: bytes) -> bytes:
        """Send bytes on a connection of their own; all that came back until the gateway closed."""
        with self.wire() as wire:
            wire.send(data)
            return wire.to_the_end()

    def check(self) -> None:
        """Nothing raw has gone either way, and the gateway still judges."""
        self.check_nothing_leaked()
        self.upstream.begin()
        answer = self.ask()
        assert answer.status == 200, answer
        assert answer.text() != f"the card is {SAID_BY_SERVER}"
        assert "the SSN is" in self.upstream.heard().decode()
        self.check_nothing_leaked()
        self.upstream.begin()
        with self.wire() as wire:
            wire.send(request(None))
            assert wire.answer().status == 401
        denied = self.ask(call("purge_everything"))
        assert "dangerous-tools" in denied.body.decode()
        assert self.upstream.heard() == b""

    def check_nothing_leaked(self) -> None:
        for wire in self._wires:
            assert SAID_BY_SERVER.encode() not in wire.heard
            assert LOOSE not in wire.heard
        heard = self.upstream.heard()
        assert SAID_BY_CALLER.encode() not in heard
        assert self.token.encode() not in heard
        assert b"uthorization" not in heard
        assert LOOSE not in heard
        log = self.gateway.log()
        assert not any(raw in log for raw in (SAID_BY_CALLER, SAID_BY_SERVER, self.token))

    def close(self) -> None:
        for wire in self._wires:
            wire.close()


@contextlib.contextmanager
def bench_of(gateway: Gateway, upstream: Upstream, world: World) -> Iterator[Bench]:
    """A bench that is checked at the end."""
    upstream.begin()
    bench = Bench(gateway, upstream, world)
    try:
        yield bench
        bench.check()
    finally:
        bench.close()
