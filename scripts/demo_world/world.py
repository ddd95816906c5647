"""Starting and ending the demo's world: identity provider, customer server, gateway; each ended by its own id."""

import contextlib
import json
import shutil
import sys
from pathlib import Path
from typing import Final

from scripts.demo_world.gateway import Proxy
from scripts.demo_world.identity_provider import IdentityProvider
from scripts.demo_world.narrator import Narrator
from scripts.demo_world.processes import NotReady, free_port, listening_socket, run_command, running, wait_until_ready
from scripts.demo_world.rulebook import APPROVERS, Trust, write_rules
from scripts.demo_world.stage import Folders, Stage

MARK: Final = ".holdfast-demo"  # a folder that carries it may be replaced


class NotOurs(Exception):  # noqa: N818 -- reads as the fault it is
    """The output folder holds something that the demo did not write."""


def fresh_folder(out: Path) -> Folders:
    """``out``, empty but for our mark.

    Raises:
        NotOurs: it is there, and not the output of an earlier demo.
    """
    if out.exists() and (not out.is_dir() or (any(out.iterdir()) and not (out / MARK).exists())):
        raise NotOurs(f"{out} holds something that no demo wrote; choose another folder with --output")
    if out.exists():
        shutil.rmtree(out)
    folders = Folders(out.resolve())
    for folder in (folders.server, folders.gateway, folders.approver_key.parent):
        folder.mkdir(parents=True)
    (folders.out / MARK).touch()
    return folders


class World(contextlib.ExitStack):
    """Everything that runs during the demo; leaving the block ends all of it."""

    def __init__(self, folders: Folders, narrator: Narrator) -> None:
        super().__init__()
        self._folders = folders
        self._narrator = narrator

    def start(self) -> Stage:
        """Start everything and wait until the gateway listens.

        Raises:
            NotReady: a process did not come up.
        """
        provider = self.enter_context(IdentityProvider())
        self._narrator.say(f"identity provider   {provider.issuer}   signs RS256 and ES256, publishes its keys")
        upstream = self._server()
        self._narrator.say(f"customer server     {upstream}/mcp   made with the MCP SDK, knows nothing of a gateway")
        proxy = Proxy(free_port(), upstream, self._folders.gateway / "mitmproxy")
        self._rules(provider, proxy)
        self._gateway(proxy)
        return Stage(self._narrator, self._folders, provider, proxy.url)

    def _server(self) -> str:
        listener = self.enter_context(listening_socket())
        folder, fd = self._folders.server, listener.fileno()
        argv = [sys.executable, "-m", "scripts.demo_world.customer_server", "--fd", str(fd)]
        paths = ["--database", str(folder / "customers.db"), "--executed", str(folder / "executed.jsonl")]
        self.enter_context(running("the customer server", argv + paths, folder / "server.log", fds=[fd]))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    def _rules(self, provider: IdentityProvider, proxy: Proxy) -> None:
        who = ("--name", "Dana Reyes", "--id", "dana", "--group", APPROVERS, "--iss", provider.issuer, "--sub", "dana")
        key = ("--key", str(self._folders.approver_key))
        enrolled = run_command("scripts/approve.py", "enroll", *who, *key, "--json")
        if enrolled.returncode:
            raise NotReady(f"approve.py enroll failed: {enrolled.stderr}")
        trust = Trust(provider.issuer, proxy.url, json.loads(enrolled.stdout))
        write_rules(self._folders.gateway / "rules", trust)

    def _gateway(self, proxy: Proxy) -> None:
        proxy.home.mkdir()
        # As talkative as mitmdump gets, and with a dump of all flows: the search must find nothing in either.
        loud = ("-w", str(self._folders.flows), "--set", "flow_detail=4")
        command = proxy.guarded(self._folders.gateway / "rules", self._folders.data, loud)
        child = self.enter_context(running("the gateway", command, self._folders.log))
        took_s = wait_until_ready(child, proxy.port)
        self._narrator.say(f"gateway             {proxy.url}   real mitmdump, up after {took_s:.1f} s")
