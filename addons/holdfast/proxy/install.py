"""Puts the monitor into mitmproxy, once, for the life of the process.

Classes are swapped in the running process, so the monitor outlives the script that installed it. Whatever of mitmproxy
does not speak HTTP is closed: a TCP tunnel has no messages to judge.
"""

import logging
import re
from typing import Final

from mitmproxy import version
from mitmproxy.proxy import commands, events, layer
from mitmproxy.proxy.layers import dns, http, tcp, udp, websocket

from holdfast.errors import SettingsError
from holdfast.proxy import http1
from holdfast.proxy.stream import GateStream

log = logging.getLogger(__name__)

SUPPORTED: Final = "12.2."
_OTHER_LAYERS: Final = (tcp.TCPLayer, udp.UDPLayer, dns.DNSLayer, websocket.WebsocketLayer)
# mitmproxy logs the bytes of half-read heads: `... before completing request headers: b'...'`.
_BYTES: Final = re.compile(r"""b(['"]).*""", re.DOTALL)


def install() -> None:
    """Swap the stream class, close the other layers, silence raw bytes in logs. Safe to call twice.

    Raises:
        SettingsError: this mitmproxy is not the one that the monitor was made for.
    """
    if not version.VERSION.startswith(SUPPORTED):
        raise SettingsError(f"mitmproxy {version.VERSION} is not supported; install mitmproxy {SUPPORTED}x")
    if http.HttpStream is not GateStream:
        http.HttpStream = GateStream  # type: ignore[misc] # the one place where the class is replaced
        http1.install()
        for other in _OTHER_LAYERS:
            other._handle_event = _closed  # noqa: SLF001 -- the sans-io entry point
        logging.getLogger("mitmproxy.proxy.server").addFilter(without_bytes)
    # An upgrade that moved things must not run unnoticed.
    made = http.HttpLayer.make_stream
    if "HttpStream" not in made.__code__.co_names or made.__globals__["HttpStream"] is not GateStream:
        raise SettingsError("mitmproxy makes its streams elsewhere; this version is not supported")


def _closed(self: layer.Layer, event: events.Event) -> layer.CommandGenerator[None]:
    if isinstance(event, events.Start):
        log.warning("closed a connection that does not speak HTTP")
        yield commands.CloseConnection(self.context.client)


def without_bytes(record: logging.LogRecord) -> bool:
    """Cut raw bytes of a peer out of a log line."""
    text = record.getMessage()
    cut = _BYTES.sub("(bytes withheld)", text)
    if cut != text:
        record.msg, record.args = cut, ()
    record.exc_info = None  # a traceback of the core may quote a header
    return True
