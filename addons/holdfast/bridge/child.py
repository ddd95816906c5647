"""A stdio server as a child process: lines in, lines out, none of our secrets in its environment, and an end."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from holdfast.call import BODY_BYTES_MAX
from holdfast.errors import SettingsError

log = logging.getLogger(__name__)

LINE_BYTES_MAX: Final = BODY_BYTES_MAX  # a line is a message, and the gateway takes no larger ones
GOODBYE_S: Final = 5  # MCP, stdio, shutdown: close its stdin, wait, then SIGTERM, then SIGKILL
# What programs need to run at all; a token or key in our environment is not the server's.
KEPT: Final = ("HOME", "LANG", "LC_ALL", "LC_CTYPE", "LOGNAME", "PATH", "SHELL", "TERM", "TMPDIR", "TZ", "USER")


def environment(named: Sequence[str], ours: Mapping[str, str]) -> dict[str, str]:
    """What the child sees of ``ours``: a few harmless variables, and those ``named``, each ``NAME`` or ``NAME=VALUE``.

    Raises:
        SettingsError: a variable is named that we do not have.
    """
    seen = {name: ours[name] for name in KEPT if name in ours}
    for text in named:
        name, mark, value = text.partition("=")
        if not mark and name not in ours:
            raise SettingsError(f"--env {name}: there is no such variable; write {name}=VALUE")
        seen[name] = value if mark else ours[name]
    return seen


class Child:
    """One running stdio server. ``ended`` is set when it has said its last."""

    def __init__(self, process: asyncio.subprocess.Process, hear: Callable[[bytes], None]) -> None:
        self._process = process
        self._hear = hear
        self.ended = asyncio.Event()
        self._reading = asyncio.create_task(self._read(), name=f"stdout of {process.pid}")

    @classmethod
    async def start(
        cls, command: Sequence[str], seen: Mapping[str, str], folder: Path, hear: Callable[[bytes], None]
    ) -> "Child":
        """Start ``command`` in ``folder``; ``hear`` is called with each line that it says.

        Raises:
            SettingsError: it cannot be started.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=None,  # its own words to whoever runs it: on our stderr
                env=dict(seen),
                cwd=folder,
                limit=LINE_BYTES_MAX,
                start_new_session=True,  # npx and the like start the server as a child of theirs
            )
        except OSError as error:
            raise SettingsError(f"{command[0]} cannot be started: {error.strerror}") from None
        return cls(process, hear)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def say(self, line: bytes) -> None:
        """Write one line to it; nothing where it does not listen any more."""
        stdin = self._process.stdin
        if stdin is None or self.ended.is_set():
            return
        with contextlib.suppress(OSError):
            stdin.write(line + b"\n")
            await stdin.drain()

    async def _read(self) -> None:
        stdout = self._process.stdout
        try:
            while stdout is not None and (line := await stdout.readline()):
                if text := line.strip():
                    self._hear(text)
        except ValueError:
            log.error("the server said a line of more than %d bytes; it is ended", LINE_BYTES_MAX)  # noqa: TRY400 -- no content
        self.ended.set()
        await self._end()

    async def stop(self) -> None:
        """End it as the protocol says, and everything that it started."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await self._end()
        self.ended.set()

    async def _end(self) -> None:
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            self._signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), GOODBYE_S)
                break
        self._signal(signal.SIGKILL)  # what it started and left behind

    def _signal(self, number: signal.Signals | None) -> None:
        if number is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
