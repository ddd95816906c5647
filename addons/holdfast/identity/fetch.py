"""Getting key documents over HTTP: short, small, and never led to another host."""

import asyncio
import http.client
import ipaddress
import urllib.error
import urllib.parse
import urllib.request
from typing import IO, Final, Protocol, override

from holdfast.clock import Clock
from holdfast.identity.jwks import KeysError

DOCUMENT_BYTES_MAX: Final = 512 * 1024  # a key set with certificates for twenty keys has about 100 KiB
CONNECT_S_MAX: Final = 5.0  # per socket operation; a client waits for this at most when keys are stale
FETCH_S_MAX: Final = 10.0  # for the whole document, however slowly it drips
_CHUNK_BYTES: Final = 64 * 1024


class Fetch(Protocol):
    """Gets the document at a URL."""

    async def __call__(self, url: str) -> bytes:
        """The bytes at ``url``.

        Raises:
            KeysError: they cannot be had.
        """


def is_loopback(url: str) -> bool:
    """Whether the host of ``url`` is this machine by name or number."""
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def url_problem(url: str) -> str | None:
    """What keeps ``url`` from being one that keys may come from; None where nothing does.

    HTTPS everywhere; plain HTTP only to this machine, where nobody stands between.
    """
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
    except ValueError:
        return "is no URL"
    if not url.isascii() or any(character <= " " for character in url):
        return "has characters that no URL has"
    if not parts.hostname or parts.username is not None or parts.password is not None or parts.fragment:
        return "needs a host, and no user, password or fragment"
    if parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)):
        return None
    return "is not https (plain http only to this machine)"


class _SameHost(urllib.request.HTTPRedirectHandler):
    max_redirections = 3

    @override
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            fp.close()
            raise KeysError("the issuer redirects to another host")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class HttpFetch:
    """Fetches with urllib in a worker thread. TLS is verified against the system's authorities (``SSL_CERT_FILE``)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._remote = urllib.request.build_opener(_SameHost)
        # Loopback must not be sent to a proxy that the environment names.
        self._local = urllib.request.build_opener(_SameHost, urllib.request.ProxyHandler({}))

    async def __call__(self, url: str) -> bytes:
        """The bytes at ``url``.

        Raises:
            KeysError: not a URL that keys may come from, no answer in time, another status than 200, or too large.
        """
        problem = url_problem(url)
        if problem:
            raise KeysError(f"the URL {problem}")
        try:
            async with asyncio.timeout(FETCH_S_MAX):
                return await asyncio.to_thread(self._get, url)
        except TimeoutError:
            raise KeysError(f"no answer within {FETCH_S_MAX:.0f} s") from None

    def _get(self, url: str) -> bytes:
        opener = self._local if is_loopback(url) else self._remote
        request = urllib.request.Request(url, headers={"Accept": "application/json", "User-Agent": "holdfast"})  # noqa: S310 -- url_problem allows http and https only
        try:
            with opener.open(request, timeout=CONNECT_S_MAX) as response:
                if response.status != http.client.OK:
                    raise KeysError(f"HTTP status {response.status}")
                return self._read(response)
        except urllib.error.HTTPError as error:
            error.close()
            raise KeysError(f"HTTP status {error.code}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise KeysError(f"no answer: {type(error).__name__}") from None

    def _read(self, response: http.client.HTTPResponse) -> bytes:
        deadline_ns = self._clock.monotonic_ns() + int(FETCH_S_MAX * 1e9)
        data = bytearray()
        while chunk := response.read1(_CHUNK_BYTES):
            data += chunk
            if len(data) > DOCUMENT_BYTES_MAX:
                raise KeysError(f"the document has more than {DOCUMENT_BYTES_MAX} bytes")
            if self._clock.monotonic_ns() > deadline_ns:
                raise KeysError(f"no answer within {FETCH_S_MAX:.0f} s")
        if response.length:
            raise KeysError("the document was cut short")
        return bytes(data)
