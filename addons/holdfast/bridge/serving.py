"""A stdio server put behind an address on loopback, for as long as it is wanted."""

import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

from holdfast.bridge.child import Child, environment
from holdfast.bridge.children import Children
from holdfast.bridge.served import listen
from holdfast.errors import SettingsError


@contextlib.asynccontextmanager
async def served(
    command: Sequence[str], named: Sequence[str], folder: Path, secret: str, port: int = 0
) -> AsyncIterator[int]:
    """The port on which ``command`` answers whoever knows ``secret``.

    Args:
        command: the program and its arguments.
        named: the variables of our environment that it sees, each ``NAME`` or ``NAME=VALUE``.
        folder: where it runs.
        secret: what a request must carry as its bearer token.
        port: 0 for any that is free.

    Raises:
        SettingsError: there is no such program, variable or free port.
    """
    seen = environment(named, os.environ)
    if shutil.which(command[0], path=seen.get("PATH")) is None:
        raise SettingsError(f"{command[0]} is no program that can be found")

    async def start(hear: Callable[[bytes], None]) -> Child:
        return await Child.start(command, seen, folder, hear)

    children = Children(start)
    server, bound = listen(children, secret, port)
    try:
        yield bound
    finally:
        server.stop()
        await children.stop()
        await server.close_all_connections()
