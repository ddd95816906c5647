"""An addon that misbehaves on request, once: the file `order` beside it says in which script, in which hook, and how.

Tests copy this file, so that the same addon is loaded as a script before the gateway's and as one after it.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mitmproxy import ctx, exceptions, http
from mitmproxy.proxy import server_hooks

PLACE = Path(__file__).stem
ORDER = Path(__file__).with_name("order")
LOOSE = "loose-bytes-of-the-server"


class Sabotage(BaseException):
    """Not an Exception: most handlers let it through."""


def _raise(error: BaseException) -> Callable[[http.HTTPFlow], None]:
    def deed(flow: http.HTTPFlow) -> None:
        raise error

    return deed


def _sleep(flow: http.HTTPFlow) -> None:
    time.sleep(0.2)  # every client waits: the loop is one


def _respond(flow: http.HTTPFlow) -> None:
    flow.response = http.Response.make(200, f'{{"jsonrpc":"2.0","id":1,"result":"{LOOSE}"}}', {"X-Loose": LOOSE})


def _edit_request(flow: http.HTTPFlow) -> None:
    flow.request.content = LOOSE.encode()
    flow.request.headers["X-Loose"] = LOOSE
    flow.request.headers["Authorization"] = LOOSE
    flow.request.trailers = http.Headers(x_loose=LOOSE)


def _edit_target(flow: http.HTTPFlow) -> None:
    flow.request.method = "DELETE"
    flow.request.path = f"/{LOOSE}"
    flow.request.host, flow.request.port = "127.0.0.1", 9
    flow.request.authority = LOOSE


def _edit_response(flow: http.HTTPFlow) -> None:
    if flow.response is None:
        _respond(flow)
    assert flow.response is not None
    flow.response.content = LOOSE.encode()
    flow.response.status_code = 299
    flow.response.trailers = http.Headers(x_loose=LOOSE)


def _stream(flow: http.HTTPFlow) -> None:
    flow.request.stream = True
    if flow.response is not None:
        flow.response.stream = lambda data: [data, LOOSE.encode()]


def _stream_raises(flow: http.HTTPFlow) -> None:
    def fails(data: bytes) -> bytes:
        raise ValueError("sabotage")

    flow.request.stream = fails
    if flow.response is not None:
        flow.response.stream = fails


def _take_over(flow: http.HTTPFlow) -> None:
    flow.response, flow.websocket, flow.live = None, None, False
    flow.error = None
    flow.metadata.clear()


def _send_elsewhere(_: http.HTTPFlow) -> None:
    Everywhere.elsewhere = True


DEEDS: dict[str, Callable[[http.HTTPFlow], object]] = {
    "raises": _raise(ValueError("sabotage")),
    "recurses": _raise(RecursionError("sabotage")),
    "runs-out-of-memory": _raise(MemoryError("sabotage")),
    "halts": _raise(exceptions.AddonHalt()),
    "refuses-an-option": _raise(exceptions.OptionsError("sabotage")),
    "is-cancelled": _raise(asyncio.CancelledError()),
    "breaks-out": _raise(Sabotage("sabotage")),
    "responds": _respond,
    "sleeps": _sleep,
    "kills": lambda flow: flow.kill(),
    "edits-the-request": _edit_request,
    "edits-the-target": _edit_target,
    "edits-the-response": _edit_response,
    "streams": _stream,
    "streams-and-raises": _stream_raises,
    "takes-over": _take_over,
    "opens-a-way": lambda _: ctx.options.update(ignore_hosts=[".*"]),
    "sends-elsewhere": _send_elsewhere,
    "unloads-scripts": lambda _: ctx.options.update(scripts=[]),
    "unloads-the-gate": lambda _: ctx.master.addons.remove(ctx.master.addons.get("holdfast-gate")),
    "replays": lambda flow: ctx.master.commands.call("replay.client", [flow]),
}


def _act(hook: str, flow: http.HTTPFlow) -> None:
    try:
        place, named, deed = ORDER.read_text("utf-8").split()
    except FileNotFoundError:
        return
    if (place, named) == (PLACE, hook):
        ORDER.unlink()
        logging.getLogger(__name__).info("deed done: %s", deed)
        DEEDS[deed](flow)


class OnThePath:
    name = f"path-{PLACE}"

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        _act("requestheaders", flow)

    async def request(self, flow: http.HTTPFlow) -> None:
        _act("request", flow)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        _act("responseheaders", flow)

    async def response(self, flow: http.HTTPFlow) -> None:
        _act("response", flow)

    def error(self, flow: http.HTTPFlow) -> None:
        _act("error", flow)


class Everywhere:
    """Raises in every hook that is not about one flow, and in the gate's own."""

    name = f"everywhere-{PLACE}"

    elsewhere = False

    def client_connected(self, client: object) -> None:
        raise ValueError("sabotage")

    def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        if Everywhere.elsewhere and data.server.address:
            Everywhere.elsewhere = False
            data.server.address = ("localhost", data.server.address[1])
        raise ValueError("sabotage")

    server_connected = server_disconnected = client_disconnected = client_connected
    next_layer = holdfast_admit = holdfast_release = holdfast_open = holdfast_events = holdfast_end = client_connected


class NeverRuns:
    """Hooks that mitmproxy calls and that do nothing: generators, and names that are no functions."""

    name = f"never-{PLACE}"

    def requestheaders(self, flow: http.HTTPFlow) -> Iterator[None]:
        flow.kill()
        yield

    async def request(self, flow: http.HTTPFlow) -> object:
        return (flow async for flow in self.response(flow))

    async def response(self, flow: http.HTTPFlow):  # type: ignore[no-untyped-def] # noqa: ANN201 -- wrong on purpose
        yield flow.kill()

    error = "no function"


addons = [NeverRuns(), Everywhere(), OnThePath()]
