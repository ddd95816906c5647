"""One HTTP POST to somebody outside: no redirects, a deadline, a bounded answer."""

import dataclasses
import http.client
import urllib.error
import urllib.request
from typing import IO, Final, override

from holdfast.clock import SystemClock
from holdfast.errors import LedgerError
from holdfast.identity.fetch import is_loopback

CONNECT_S_MAX: Final = 5.0  # per socket operation
ANSWER_S_MAX: Final = 10.0  # for the whole answer, however slowly it drips
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


_REMOTE: Final = urllib.request.build_opener(_NoRedirect)
# Loopback must not be sent to a proxy that the environment names.
_LOCAL: Final = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


def post(url: str, data: bytes, content_type: str, answer_bytes_max: int) -> Answered:
    """The answer to ``data``, whatever its status.

    Raises:
        LedgerError: none came in time, or it is too large.
    """
    opener = _LOCAL if is_loopback(url) else _REMOTE
    headers = {"Content-Type": content_type, "User-Agent": "holdfast"}
    request = urllib.request.Request(url, data, headers, method="POST")  # noqa: S310 -- rules.py allows http and https only
    try:
        with opener.open(request, timeout=CONNECT_S_MAX) as response:
            return _read(response.status, response, answer_bytes_max)
    except urllib.error.HTTPError as error:
        with error:
            return _read(error.code, error, answer_bytes_max)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise LedgerError(f"no answer: {_kind(error)}") from None


def _kind(error: Exception) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    return type(reason).__name__ if isinstance(reason, Exception) else type(error).__name__


def _read(status: int, response: http.client.HTTPResponse | urllib.error.HTTPError, bytes_max: int) -> Answered:
    clock = SystemClock()
    deadline_ns = clock.monotonic_ns() + int(ANSWER_S_MAX * 1e9)
    data = bytearray()
    try:
        while chunk := response.read1(_CHUNK_BYTES):
            data += chunk
            if len(data) > bytes_max:
                raise LedgerError(f"the answer has more than {bytes_max} bytes")
            if clock.monotonic_ns() > deadline_ns:
                raise LedgerError(f"no answer within {ANSWER_S_MAX:.0f} s")
    except (OSError, http.client.HTTPException) as error:
        raise LedgerError(f"the answer broke off: {_kind(error)}") from None
    content_type = (response.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    return Answered(status, content_type, bytes(data))
