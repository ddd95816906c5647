"""Both sides of an exchange are hung up on, at whatever moment the other leaves: no socket stays open for nobody.

mitmproxy 12.2 forgets a socket where the task of its connection is cancelled while it waits for its turn. Each of these
moments comes by itself once in a while; here another addon (`harness/meeting.py`) makes it come every time.
"""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.live.harness import meeting
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway
from tests.live.harness.meeting import ConnectingMeetsLeaving, EndMeetsGoodbye, EndMeetsLeaving
from tests.live.harness.upstream import Talk, Upstream
from tests.live.harness.wire import Wire
from tests.live.harness.world import GATEWAY_SCRIPT, PATIENCE_S, World, until

pytestmark = pytest.mark.live

BEGUN = b'{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"begun"}}'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 9999\r\n\r\ndata: " + BEGUN + b"\n\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("meeting")


@pytest.fixture(scope="module")
def gateway(world: World, shared_upstream: Upstream, folder: Path) -> Iterator[Gateway]:
    script = folder / "meeting.py"
    shutil.copy(meeting.__file__, script)
    gateway = Gateway(world, shared_upstream.port, folder, scripts=[GATEWAY_SCRIPT, script])
    try:
        yield gateway.ready()
    finally:
        gateway.kill()


def meet(bench: Bench, folder: Path, kind: type[meeting.Meeting]) -> Wire:
    """A client of which the addon knows, and its request on the way."""
    (folder / "ready").unlink(missing_ok=True)
    (folder / "order").write_text(kind.__name__, "utf-8")
    wire = bench.wire()
    wire.send(bench.request())
    return wire


def test_a_server_is_hung_up_on_where_the_exchange_breaks_off_as_the_client_leaves(bench: Bench, folder: Path) -> None:
    hung_up = threading.Event()

    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(STREAM)
        talk.listen()
        hung_up.set()

    bench.serve(script)
    with meet(bench, folder, EndMeetsLeaving) as wire:
        wire.until(b"begun")
    assert hung_up.wait(PATIENCE_S)


def test_a_server_is_hung_up_on_that_was_reached_after_the_client_had_left(bench: Bench, folder: Path) -> None:
    hung_up = threading.Event()

    def script(talk: Talk) -> None:
        talk.listen()
        hung_up.set()

    bench.serve(script)
    with meet(bench, folder, ConnectingMeetsLeaving):
        until((folder / "ready").exists, "the gateway is about to connect")
    assert hung_up.wait(PATIENCE_S)


def test_a_client_is_hung_up_on_where_the_exchange_breaks_off_as_it_says_goodbye(bench: Bench, folder: Path) -> None:
    begun = threading.Event()

    def script(talk: Talk) -> None:
        talk.hear()
        talk.say(STREAM)
        begun.wait(PATIENCE_S)

    bench.serve(script)
    with meet(bench, folder, EndMeetsGoodbye) as wire:
        wire.until(b"begun")
        begun.set()
        until((folder / "ready").exists, "the exchange is about to break off")
        wire.say_goodbye()
        wire.to_the_end()
        assert wire.ended
