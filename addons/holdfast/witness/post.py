"""One HTTP POST to somebody outside: no redirects, a deadline, a bounded answer."""

import contextlib
import dataclasses
import http.client
import socket
import threading
import urllib.error
import urllib.request
from typing import IO, Any, Final, Self, override

from holdfast.errors import LedgerError
from holdfast.identity.fetch import is_loopback

CONNECT_S_MAX: Final = 5.0  # per socket operation
ANSWER_S_MAX: Final = 10.0  # for the whole exchange, however slowly its status, headers or body drip
_CHUNK_BYTES: Final = 64 * 1024


@dataclasses.dataclass(frozen=True, slots=True)
class Answered:
    """Status, content type (without parameters, in lower case) and body of an answer."""

    status: int
    content_type: str
    body: bytes


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Whoever is named in the rules answers, and nobody that they point to."""

    @override
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        return None


class _Deadline:
    """Shuts the exchange's socket down when its time is over. A byte now and then meets no timeout of the socket."""

    def __init__(self, answer_s: float) -> None:
        self.is_over = False
        self._sockets: Final[list[socket.socket]] = []
        self._lock: Final = threading.Lock()
        self._timer: Final = threading.Timer(answer_s, self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._timer.cancel()

    def watch(self, connected: socket.socket) -> None:
        """Shut ``connected`` down too."""
        with self._lock:
            self._sockets.append(connected)
            if self.is_over:
                _shut(connected)

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            for connected in self._sockets:
                _shut(connected)


def _shut(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):
        # Not that of TLS, which says goodbye to a peer that may not listen.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


class _Watched(urllib.request.AbstractHTTPHandler):
    """Has the deadline know the socket: the library lets go of the connection before the body is read."""

    deadline: _Deadline

    @override
    def do_open(self, http_class: Any, req: urllib.request.Request, **more: Any) -> http.client.HTTPResponse:
        def make(host: str, **arguments: Any) -> http.client.HTTPConnection:
            connection: http.client.HTTPConnection = http_class(host, **arguments)
            connect = connection.connect

            def connecting() -> None:
                connect()
                self.deadline.watch(connection.sock)

            connection.connect = connecting  # type: ignore[method-assign] # before the request is sent
            return connection

        return super().do_open(make, req, **more)


class _Http(_Watched, urllib.request.HTTPHandler):
    pass


class _Https(_Watched, urllib.request.HTTPSHandler):
    pass


def post(
    url: str, data: bytes, content_type: str, answer_bytes_max: int, *, answer_s: float = ANSWER_S_MAX
) -> Answered:
    """The answer to ``data``, whatever its status.

    Raises:
        LedgerError: none came in time, or it is too large.
    """
    headers = {"Content-Type": content_type, "User-Agent": "holdfast"}
    request = urllib.request.Request(url, data, headers, method="POST")  # noqa: S310 -- rules.py allows http and https only
    with _Deadline(answer_s) as deadline:
        try:
            answered = _ask(_opener(url, deadline), request, answer_bytes_max)
        except LedgerError:
            if deadline.is_over:
                raise _late(answer_s) from None
            raise
        # What is shut down may look like the end of a whole answer.
        if deadline.is_over:
            raise _late(answer_s)
        return answered


def _late(answer_s: float) -> LedgerError:
    return LedgerError(f"no answer within {answer_s:.0f} s")


def _opener(url: str, deadline: _Deadline) -> urllib.request.OpenerDirector:
    handlers: list[urllib.request.BaseHandler] = [_NoRedirect()]
    for handler in (_Http(), _Https()):
        handler.deadline = deadline
        handlers.append(handler)
    if is_loopback(url):
        handlers.append(urllib.request.ProxyHandler({}))  # loopback must not be sent to a proxy of the environment
    return urllib.request.build_opener(*handlers)


def _ask(opener: urllib.request.OpenerDirector, request: urllib.request.Request, bytes_max: int) -> Answered:
    try:
        with opener.open(request, timeout=CONNECT_S_MAX) as response:
            return _read(response.status, response, bytes_max)
    except urllib.error.HTTPError as error:
        with error:
            return _read(error.code, error, bytes_max)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LedgerError(f"no answer: {_kind(error)}") from None


def _kind(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return type(reason).__name__ if isinstance(reason, Exception) else type(error).__name__


def _read(status: int, response: http.client.HTTPResponse | urllib.error.HTTPError, bytes_max: int) -> Answered:
    data = bytearray()
    try:
        while chunk := response.read1(_CHUNK_BYTES):
            data += chunk
            if len(data) > bytes_max:
                raise LedgerError(f"the answer has more than {bytes_max} bytes")
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LedgerError(f"the answer broke off: {_kind(error)}") from None
    content_type = (response.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    return Answered(status, content_type, bytes(data))
