"""HTTP as the core sees it: frozen values without a proxy behind them."""

import dataclasses
from typing import Final

type Headers = tuple[tuple[str, str], ...]

HEADERS_BYTES_MAX: Final = 64 * 1024  # mitmproxy sets no limit; tokens with many groups stay far below this
HEADERS_COUNT_MAX: Final = 100  # the largest MCP client sends about fifteen


@dataclasses.dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of the client's connection, as TCP and TLS tell it."""

    ip: str
    port: int
    tls: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request of a client. Header names are lower case; values are latin-1 text, in the order received."""

    method: str
    path: str
    headers: Headers
    body: bytes
    peer: Peer

    def header(self, name: str) -> str | None:
        """The value of the header ``name`` (lower case), or None. Of several, the first."""
        return next((value for key, value in self.headers if key == name), None)

    def headers_named(self, name: str) -> tuple[str, ...]:
        """Every value of the header ``name`` (lower case)."""
        return tuple(value for key, value in self.headers if key == name)


@dataclasses.dataclass(frozen=True, slots=True)
class Upstream:
    """Where a server is."""

    host: str
    port: int
    tls: bool

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, as sockets take them."""
        return self.host, self.port

    def host_text(self) -> str:
        """What a ``Host`` header says: without the port that the scheme implies."""
        text = f"[{self.host}]" if ":" in self.host else self.host
        return text if self.port == (443 if self.tls else 80) else f"{text}:{self.port}"

    def __str__(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host_text()}"


@dataclasses.dataclass(frozen=True, slots=True)
class Outgoing:
    """What goes to a server, byte for byte, and to which."""

    upstream: Upstream
    method: str
    path: str
    headers: Headers
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """Status and headers of a server's response, before its body."""

    status: int
    headers: Headers

    def header(self, name: str) -> str | None:
        """The value of the header ``name`` (lower case), or None. Of several, the first."""
        return next((value for key, value in self.headers if key == name), None)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """What goes back to the client, byte for byte. ``Content-Length`` is added where the bytes are sent.

    ``event`` is the name of the event that says it, where a stream has begun.
    """

    status: int
    headers: Headers
    body: bytes
    event: str = "message"
