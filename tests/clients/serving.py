"""Servers by others, each in a process of its own on loopback."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from scripts import clients
from tests.live.harness.gateway import free_port
from tests.live.harness.world import until

STARTS_S: Final = 90  # the bridge starts five servers, two seconds of work each
PACKAGES: Final = clients.MODULES / "@modelcontextprotocol"

# Name in rules/servers.yaml -> where its version is locked: the environment and the package.
SERVERS: Final = {
    "customers": ("npm", "@modelcontextprotocol/server"),
    "everything": ("npm", "@modelcontextprotocol/server-everything"),
    "filesystem": ("npm", "@modelcontextprotocol/server-filesystem"),
    "memory": ("npm", "@modelcontextprotocol/server-memory"),
    "git": ("two", "mcp-server-git"),
    "sqlite": ("one", "mcp-server-sqlite"),
    "time": ("two", "mcp-server-time"),
    "bridge": ("one", "mcp-proxy"),
}


class Serving:
    """A started server; ``port`` is where it listens."""

    def __init__(self, command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._out, self._err = folder / "out.txt", folder / "err.txt"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            more = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C.UTF-8"} | (environment or {})
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=more, cwd=folder, start_new_session=True
            )

    def lines(self) -> list[dict[str, Any]]:
        """The lines of JSON on its stdout."""
        whole = self._out.read_text("utf-8", "replace").rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    def said_port(self) -> int:
        """The port that it names on stdout, once it does."""
        self._until(self.lines, "it says where it listens")
        port: int = self.lines()[0]["port"]
        return port

    def said(self, words: str) -> None:
        """Wait until its stderr has ``words``."""
        self._until(lambda: re.search(words, self._err.read_text("utf-8", "replace")), f"it says {words}")

    def _until(self, look: Callable[[], object], what: str) -> None:
        try:
            until(lambda: look() or self._process.poll() is not None, what, within_s=STARTS_S)
            assert self._process.poll() is None, "it ended"
        except AssertionError:
            self.end()
            raise AssertionError(self._err.read_text("utf-8", "replace")[-2000:]) from None

    def end(self) -> None:
        """Stop it and what it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)


def customers(folder: Path) -> Serving:
    """Our own on the second TypeScript SDK, which says what it carried out."""
    return Serving(
        [str(clients.node()), str(clients.SOURCES / "servers/customers.mjs"), str(clients.APART.folder)], folder
    )


def everything(folder: Path, transport: str) -> Serving:
    """`server-everything` with ``transport`` (streamableHttp or sse), held to loopback."""
    program = str(PACKAGES / "server-everything/dist/index.js")
    loopback = str(clients.SOURCES / "servers/loopback.cjs")
    return Serving([str(clients.node()), "--require", loopback, program, transport], folder, {"PORT": "0"})


def bridged(folder: Path) -> tuple[Serving, int]:
    """Five servers that speak stdio, behind `mcp-proxy` at `/servers/NAME/mcp`."""
    node, one, two = str(clients.node()), clients.python("one").parent, clients.python("two").parent
    commands = {
        "filesystem": [node, str(PACKAGES / "server-filesystem/dist/index.js"), str(folder)],
        "memory": [node, str(PACKAGES / "server-memory/dist/index.js")],
        "git": [str(two / "mcp-server-git"), "--repository", str(folder / "repository")],
        "sqlite": [str(one / "mcp-server-sqlite"), "--db-path", str(folder / "test.db")],
        "time": [str(two / "mcp-server-time")],
    }
    named = {name: {"command": command[0], "args": command[1:]} for name, command in commands.items()}
    (folder / "named.json").write_text(json.dumps({"mcpServers": named}), "utf-8")
    port = free_port()
    options = ["--host", "127.0.0.1", "--port", str(port), "--pass-environment"]
    command = [str(one / "mcp-proxy"), *options, "--named-server-config", str(folder / "named.json")]
    serving = Serving(command, folder / "bridge", {"MEMORY_FILE_PATH": str(folder / "memory.jsonl")})
    serving.said("Uvicorn running")
    return serving, port
