"""The desk's Unix socket: one JSON line asks, one JSON line answers.

::

    {"verb": "list"}                                   -> {"ok": true, "holds": [...]}
    {"verb": "show", "hold": ID, "key": BASE64?}       -> {"ok": true, "hold": {...}, "view": TEXT, "statement": {...}}
    {"verb": "decide", "hold": ID, "envelope": {...}}  -> {"ok": true, "hold": {...}}
    {"verb": "decide", "hold": ID, "token": T, "decision": D, "reason": R, "view": HEX}
    anything that is refused                           -> {"ok": false, "code": CAUSE, "reason": TEXT}

The file has mode 0600: only the user whom the gateway runs as can knock. That alone decides nothing: a decision needs
an approver's signature or token. The user id of the peer is recorded with each decision.
"""

import asyncio
import contextlib
import logging
import os
import socket
import sqlite3
import struct
from pathlib import Path
from typing import Final

from holdfast import jsontext
from holdfast.approval.approvers import Rejected
from holdfast.approval.decisions import Decisions, public_from_text
from holdfast.errors import Cause, HoldfastError, SettingsError
from holdfast.jsontext import JsonObject

SOCKET_NAME: Final = "desk.sock"
LINE_BYTES_MAX: Final = 64 * 1024  # an envelope has at most 32 KiB, a token fits a header
CONNECTIONS_MAX: Final = 64  # people, not programs, knock here
IDLE_S: Final = 30  # a person thinks between two connections, not within one
_PATH_BYTES_MAX: Final = 107  # sockaddr_un on Linux: 108 with the final zero; macOS has 104

_LOG: Final = logging.getLogger(__name__)


class DeskSocket:
    """Serves :class:`Decisions` on the socket at ``path``."""

    def __init__(self, path: Path, decisions: Decisions) -> None:
        self._path = path
        self._decisions = decisions
        self._listener: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._count = 0

    def claim(self) -> None:
        """Make the socket ours without serving it yet, so that nothing else is touched where another gateway lives.

        Raises:
            SettingsError: another gateway listens there, or the socket cannot be made.
        """
        if len(os.fsencode(self._path)) > _PATH_BYTES_MAX:
            raise SettingsError(f"the path of {SOCKET_NAME} is longer than {_PATH_BYTES_MAX} bytes; use a shorter one")
        _clear(self._path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self._path))
            # Before listen(): nobody can connect while the file still has the mode of the umask.
            self._path.chmod(0o600)
        except OSError as error:
            listener.close()
            raise SettingsError(f"{SOCKET_NAME} cannot be made: {error.strerror}") from None
        self._listener = listener

    async def start(self) -> None:
        """Serve the socket that was claimed."""
        assert self._listener is not None
        self._server = await asyncio.start_unix_server(self._serve, sock=self._listener, limit=LINE_BYTES_MAX)

    async def stop(self) -> None:
        """Stop listening, break off what is open, and remove the socket."""
        server, self._server = self._server, None
        listener, self._listener = self._listener, None
        if server is not None:
            server.close()
            server.close_clients()
            await server.wait_closed()
        if listener is not None:
            listener.close()
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._count += 1
        source = f"unix:uid={_peer_uid(writer)}"
        try:
            if self._count <= CONNECTIONS_MAX:
                await self._converse(reader, writer, source)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass  # the peer left or fell silent: nothing was asked, nothing is owed
        finally:
            self._count -= 1
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, source: str) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_S):
                    line = await reader.readuntil(b"\n")
            except asyncio.LimitOverrunError:
                await _answer(writer, _refusal(Cause.TOO_LARGE, f"a line has at most {LINE_BYTES_MAX} bytes"))
                return
            await _answer(writer, await self._reply(line, source))

    async def _reply(self, line: bytes, source: str) -> JsonObject:
        try:
            return {"ok": True} | await self._act(_request(line), source)
        except Rejected as rejected:
            return _refusal(rejected.cause, rejected.reason)
        except (HoldfastError, sqlite3.Error) as error:
            _LOG.error("the approval desk cannot do what was asked: %s", type(error).__name__)
            return _refusal(Cause.UNAVAILABLE, "the gateway cannot record this now, so nothing was decided")

    async def _act(self, request: JsonObject, source: str) -> JsonObject:
        match request:
            case {"verb": "list", **rest} if not rest:
                return {"holds": [*self._decisions.listing()]}
            case {"verb": "show", "hold": str(hold), "key": str(key), **rest} if not rest:
                return self._decisions.show(hold, public_from_text(key))
            case {"verb": "show", "hold": str(hold), **rest} if not rest:
                return self._decisions.show(hold)
            case {"verb": "decide", "hold": str(hold), "envelope": dict(envelope), **rest} if not rest:
                return {"hold": await self._decisions.decide_signed(hold, jsontext.canonical(envelope), source)}
            case {
                "verb": "decide",
                "hold": str(hold),
                "token": str(token),
                "view": str(view),
                "decision": "approve" | "deny" as choice,
                "reason": str(reason),
                **rest,
            } if not rest:
                decided = self._decisions.decide_by_token(
                    hold, token, choice, reason, view_digest_hex=view, source=source
                )
                return {"hold": await decided}
            case _:
                pass
        raise Rejected(Cause.MALFORMED, "a request is list, show or decide, with exactly the members of that verb")


def _request(line: bytes) -> JsonObject:
    try:
        value = jsontext.parse(line)
    except jsontext.JsonError as error:
        raise Rejected(Cause.MALFORMED, f"the line is no acceptable JSON: {error}") from None
    if not isinstance(value, dict):
        raise Rejected(Cause.MALFORMED, "the line is no JSON object")
    return value


def _refusal(cause: Cause, reason: str) -> JsonObject:
    return {"ok": False, "code": cause.value, "reason": reason}


async def _answer(writer: asyncio.StreamWriter, value: JsonObject) -> None:
    writer.write(jsontext.wire(value) + b"\n")
    await writer.drain()


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    # socket(7), SO_PEERCRED: pid, uid and gid of the peer as of connect(). -1 where the system has no such option.
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return -1
    layout = struct.Struct("3i")
    data: bytes = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, option, layout.size)
    return int(layout.unpack(data)[1])


def _clear(path: Path) -> None:
    """Remove the socket of a gateway that is gone; never that of one that lives."""
    if not path.exists():
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError as error:
            raise SettingsError(f"{path.name} is in the way: {error.strerror}; move it away") from None
    raise SettingsError(f"another gateway has {path.name} open; each needs a data folder of its own")
