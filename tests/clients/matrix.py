"""The clients of the matrix, how one is started, and what it says."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from scripts import clients

DRIVERS: Final = clients.SOURCES / "drivers"
WITHIN_S: Final = 90  # for a few steps on a machine that is busy with others


class Client(NamedTuple):
    """One client in one era. ``package`` is what a lock file pins, for ``environment``: one, two or npm."""

    name: str
    environment: str
    package: str
    driver: str
    era: str

    @property
    def command(self) -> list[str]:
        if self.environment == "npm":
            return [str(clients.node()), str(DRIVERS / self.driver), str(clients.APART.folder)]
        return [str(clients.python(self.environment)), "-m", f"tests.clients.drivers.{self.driver}"]


CLIENTS: Final = (
    Client("python-1", "one", "mcp", "python_one", "legacy"),
    Client("python-2", "two", "mcp", "python_two", "auto"),
    Client("python-2-handshake", "two", "mcp", "python_two", "legacy"),
    Client("fastmcp", "two", "fastmcp", "fast", "auto"),
    Client("typescript-1", "npm", "@modelcontextprotocol/sdk", "typescript_one.mjs", "legacy"),
    Client("typescript-2", "npm", "@modelcontextprotocol/client", "typescript_two.mjs", "auto"),
    Client("typescript-2-handshake", "npm", "@modelcontextprotocol/client", "typescript_two.mjs", "legacy"),
    Client("inspector", "npm", "@modelcontextprotocol/inspector", "inspector.mjs", "legacy"),
    Client("inspector-modern", "npm", "@modelcontextprotocol/inspector", "inspector.mjs", "auto"),
)


def versions() -> dict[tuple[str, str], str]:
    """The locked version of each package, by environment and name."""
    found: dict[tuple[str, str], str] = {}
    for name in clients.ENVIRONMENTS:
        lines = (clients.SOURCES / f"requirements-{name}.txt").read_text("utf-8").splitlines()
        pairs = (line.split()[0].split("==") for line in lines if not line.startswith(" "))
        found |= {(name, package): version for package, version in pairs}
    lock = json.loads((clients.SOURCES / "package-lock.json").read_text("utf-8"))["packages"]
    return found | {("npm", path.removeprefix("node_modules/")): one["version"] for path, one in lock.items() if path}


class Talk:
    """A started client, which takes ``steps`` (drivers/steps.py) at ``url``."""

    def __init__(self, client: Client, url: str, token: str, steps: Sequence[object], folder: Path) -> None:
        self.client = client
        self._folder = Path(tempfile.mkdtemp(prefix=f"{client.name}-", dir=folder))
        transport = "sse" if url.endswith("/sse") else "http"
        order = {"url": url, "token": token, "transport": transport, "era": client.era, "steps": [*steps]}
        (self._folder / "order.json").write_text(json.dumps(order), "utf-8")
        environment = {"PATH": os.defpath, "HOME": str(self._folder), "LC_ALL": "C.UTF-8"}
        with (
            (self._folder / "order.json").open("rb") as asked,
            (self._folder / "out").open("wb") as out,
            (self._folder / "err").open("wb") as err,
        ):
            self.process = subprocess.Popen(
                client.command,
                stdin=asked,
                stdout=out,
                stderr=err,
                env=environment,
                cwd=clients.ROOT,
                start_new_session=True,
            )

    def lines(self) -> list[dict[str, Any]]:
        """What it has said until now: what it agreed on with the server, then a line a step."""
        whole = (self._folder / "out").read_text("utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def ended(self, within_s: float = WITHIN_S) -> list[dict[str, Any]]:
        """All that it said, once it has ended by itself; of one that hangs, what it said before."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(within_s)
        self.leave()
        assert self.lines(), f"{self.client.name} said nothing: {self.errors()}"
        return self.lines()

    def errors(self) -> str:
        """What it wrote on stderr."""
        return (self._folder / "err").read_text("utf-8", "replace")[-2000:]

    def leave(self) -> None:
        """End it, and what it started, without a goodbye."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)


@contextlib.contextmanager
def talking(client: Client, url: str, token: str, steps: Sequence[object], folder: Path) -> Iterator[Talk]:
    talk = Talk(client, url, token, steps, folder)
    try:
        yield talk
    finally:
        talk.leave()
