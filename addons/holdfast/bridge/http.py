"""A small HTTP/1.1 client on asyncio: bodies as they come, connections used again, hanging up to cancel."""

import asyncio
import contextlib
import dataclasses
import re
import ssl
from collections.abc import AsyncIterator
from typing import Final

from holdfast.exchange import Headers, Upstream

HEAD_BYTES_MAX: Final = 64 * 1024
CONNECT_S: Final = 30
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})(?: .*)?")
_READ_BYTES: Final = 64 * 1024
_NO_BODY: Final = frozenset({204, 304})


class HttpError(Exception):
    """The server cannot be reached, or says what is no HTTP. Never quotes it."""


@dataclasses.dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        self.writer.close()


class Response:
    """Status and headers of a response, and its body as it comes."""

    def __init__(self, status: int, headers: Headers, connection: _Connection) -> None:
        self.status = status
        self.headers = headers
        self._connection = connection
        self.is_whole = False  # read to its end, and the connection is good for another

    def header(self, name: str) -> str | None:
        """The value of the header ``name`` (lower case), or None."""
        return next((value for key, value in self.headers if key == name), None)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, piece by piece.

        Raises:
            HttpError: it breaks off.
        """
        try:
            async for data in self._pieces(self._connection.reader):
                yield data
        except (OSError, ValueError, asyncio.IncompleteReadError):
            raise HttpError("the body broke off") from None

    async def _pieces(self, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
        length = self.header("content-length")
        if self.status in _NO_BODY:
            pieces = _exactly(reader, 0)
        elif (self.header("transfer-encoding") or "").lower() == "chunked":
            pieces = _chunked(reader)
        elif length is not None:
            pieces = _exactly(reader, int(length))
        else:
            while data := await reader.read(_READ_BYTES):
                yield data
            return
        async for data in pieces:
            yield data
        self.is_whole = (self.header("connection") or "").lower() != "close"

    async def read(self, bytes_max: int) -> bytes:
        """The whole body.

        Raises:
            HttpError: it breaks off, or is longer than ``bytes_max``.
        """
        body = bytearray()
        async for data in self.chunks():
            body += data
            if len(body) > bytes_max:
                raise HttpError(f"the body has more than {bytes_max} bytes")
        return bytes(body)


async def _exactly(reader: asyncio.StreamReader, length: int) -> AsyncIterator[bytes]:
    left = length
    while left:
        data = await reader.read(min(left, _READ_BYTES))
        if not data:
            raise ValueError("broke off")
        left -= len(data)
        yield data


async def _chunked(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        async for data in _exactly(reader, size):
            yield data
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":  # trailers
        pass


class Http:
    """Requests to one server. Connections that are free are used again."""

    def __init__(self, server: Upstream, tls: ssl.SSLContext | None) -> None:
        self._server = server
        self._tls = tls if server.tls else None
        self._idle: list[_Connection] = []

    @contextlib.asynccontextmanager
    async def request(self, method: str, target: str, headers: Headers, body: bytes) -> AsyncIterator[Response]:
        """Send a request; its response. Leaving before the body was read hangs up.

        Raises:
            HttpError: the server cannot be reached, or says what is no HTTP.
        """
        fields = (("host", self._server.host_text()), *headers)
        fields += (("content-length", str(len(body))),) if body or method == "POST" else ()
        head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
        connection, response = await self._connect(), None
        try:
            connection.writer.write(head.encode("latin-1") + body)
            await connection.writer.drain()
            status, answered = await _head(connection.reader)
            response = Response(status, answered, connection)
            yield response
        except (OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            raise HttpError("the server hung up, or its answer is no HTTP") from None
        finally:
            if response is not None and response.is_whole:
                self._idle.append(connection)
            else:
                connection.close()

    async def _connect(self) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.close()
        opening = asyncio.open_connection(*self._server.address, ssl=self._tls, limit=HEAD_BYTES_MAX)
        try:
            return _Connection(*await asyncio.wait_for(opening, CONNECT_S))
        except (OSError, TimeoutError) as error:
            why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else type(error).__name__
            raise HttpError(f"{self._server} cannot be reached: {why}") from None

    def close(self) -> None:
        """Close what is free."""
        for connection in self._idle:
            connection.close()


async def _head(reader: asyncio.StreamReader) -> tuple[int, Headers]:
    status = 100
    lines: list[bytes] = []
    while 100 <= status < 200:  # noqa: PLR2004 -- informational responses come before the one that counts
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        match = _STATUS.fullmatch(lines[0])
        if match is None:
            raise ValueError("not a status line")
        status = int(match[1])
    pairs = [line.partition(b":") for line in lines[1:] if line]
    return status, tuple((n.decode("latin-1").lower(), v.strip().decode("latin-1")) for n, _, v in pairs)
