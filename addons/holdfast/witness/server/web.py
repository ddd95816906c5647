"""The witness over HTTP: two paths, small bodies, no content in its log."""

import asyncio
import contextlib
import logging
import signal
from typing import Final, override

import tornado.httpserver
import tornado.iostream
import tornado.netutil
import tornado.web

from holdfast.errors import SettingsError
from holdfast.witness import protocol
from holdfast.witness.server.judge import Answer, Judge

HEADER_BYTES_MAX: Final = 16 * 1024
BODY_S_MAX: Final = 10  # a submission is a few kilobytes
IDLE_S_MAX: Final = 75  # longer than a log waits between two submissions, so that connections stay open
# A log needs one. Far below the usual limit of open files, at which every further knock would be a line in the log.
CONNECTIONS_MAX: Final = 256
_LOG: Final = logging.getLogger(__name__)


class _Handler(tornado.web.RequestHandler):
    def initialize(self, judge: Judge) -> None:
        self.judge = judge

    def answer(self, answer: Answer) -> None:
        self.set_status(answer.status)
        self.set_header("Content-Type", answer.content_type)
        self.set_header("Cache-Control", "no-store")
        self.finish(answer.body)

    def write_error(self, status_code: int, **_kwargs: object) -> None:
        self.answer(Answer(status_code, f"{self._reason}\n".encode()))


class AddCheckpoint(_Handler):
    """`POST /add-checkpoint`."""

    def post(self) -> None:
        """Cosign the checkpoint, or say why not."""
        self.answer(self.judge.add_checkpoint(self.request.body))


class LastCheckpoint(_Handler):
    """`GET /HASH/checkpoint`."""

    def get(self, origin_hash_hex: str) -> None:
        """The last checkpoint of a log, for monitors."""
        self.answer(self.judge.checkpoint(origin_hash_hex))


def application(judge: Judge) -> tornado.web.Application:
    """Both paths, and 404 for every other."""
    shared = {"judge": judge}
    return tornado.web.Application(
        [(protocol.PATH, AddCheckpoint, shared), (r"/([0-9a-f]{64})/checkpoint", LastCheckpoint, shared)],
        log_function=_log_request,
    )


def _log_request(handler: tornado.web.RequestHandler) -> None:
    # Neither address nor body: who submits is known by the log's signature.
    _LOG.info("%s %s %d", handler.request.method, handler.request.path[:100], handler.get_status())


class Server(tornado.httpserver.HTTPServer):
    """Hangs up on whoever comes while CONNECTIONS_MAX others are connected."""

    @override
    def handle_stream(self, stream: tornado.iostream.IOStream, address: tuple[object, ...]) -> None:
        """Serve a new connection, or end it."""
        if len(self._connections) >= CONNECTIONS_MAX:
            stream.close()
            return
        super().handle_stream(stream, address)


async def serve(judge: Judge, host: str, port: int) -> None:
    """Answer on ``host`` and ``port`` (0: any free one, which the log names) until SIGTERM or SIGINT.

    Raises:
        SettingsError: the address cannot be bound.
    """
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    server = Server(
        application(judge),
        max_body_size=protocol.REQUEST_BYTES_MAX,
        max_buffer_size=protocol.REQUEST_BYTES_MAX + HEADER_BYTES_MAX,
        max_header_size=HEADER_BYTES_MAX,
        body_timeout=BODY_S_MAX,
        idle_connection_timeout=IDLE_S_MAX,
    )
    try:
        sockets = tornado.netutil.bind_sockets(port, host)
    except OSError as error:
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    server.add_sockets(sockets)
    _LOG.info("listening on http://%s:%d", host, sockets[0].getsockname()[1])
    await stopped.wait()
    server.stop()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(server.close_all_connections(), BODY_S_MAX)
