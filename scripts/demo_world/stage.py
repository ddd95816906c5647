"""What every step of the demo needs: the narrator, the addresses, the people, and the server's own list of calls."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Final

from scripts.demo_world.identity_provider import IdentityProvider
from scripts.demo_world.narrator import Narrator
from scripts.demo_world.people import planted_values
from scripts.demo_world.processes import run_command
from scripts.demo_world.rulebook import USERS
from scripts.demo_world.search import labels_in

AGENT: Final = "agent-7@acme"  # who the agents act for, as the identity provider says it


@dataclasses.dataclass(frozen=True, slots=True)
class Folders:
    """Where the demo writes. ``server`` is the company's own system; everything else must stay free of raw values."""

    out: Path

    @property
    def server(self) -> Path:
        """The customer server's database, log and list of executed calls."""
        return self.out / "server"

    @property
    def gateway(self) -> Path:
        """Rules, data and log of the gateway."""
        return self.out / "gateway"

    @property
    def data(self) -> Path:
        """The gateway's ledger, payloads and keys."""
        return self.gateway / "data"

    @property
    def flows(self) -> Path:
        """Mitmproxy's own dump of every flow, written with ``-w``."""
        return self.gateway / "flows.mitm"

    @property
    def log(self) -> Path:
        """What the gateway's mitmdump printed, bodies and all."""
        return self.gateway / "gateway.log"

    @property
    def approver_key(self) -> Path:
        """The approver's private key: theirs, not the gateway's."""
        return self.out / "approver" / "dana.pem"

    @property
    def trust(self) -> Path:
        """The ledger's public key, as the auditor was given it."""
        return self.out / "auditor" / "ledger.vkey"

    @property
    def unpacked(self) -> Path:
        """The evidence package, unpacked as a reader would."""
        return self.out / "evidence"

    @property
    def package(self) -> Path:
        """The evidence package."""
        return self.out / "evidence.zip"


@dataclasses.dataclass(frozen=True, slots=True)
class Stage:
    """A running world, and the narrator who tells about it."""

    narrator: Narrator
    folders: Folders
    provider: IdentityProvider
    url: str

    @property
    def audience(self) -> str:
        """What tokens for this gateway carry as ``aud``: its own address."""
        return self.url

    def token(self) -> str:
        """A token of the agents' group."""
        return self.provider.token(AGENT, audience=self.audience, groups=[USERS], name="Agent 7")

    def executed(self) -> list[str]:
        """The tools that the server really ran, in order."""
        path = self.folders.server / "executed.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [str(json.loads(line)["tool"]) for line in lines]


def leaks(value: object) -> list[str]:
    """The names of the raw values that stand in what a client was given."""
    return labels_in(str(value).encode(), planted_values())


def leak_sentence(found: list[str]) -> str:
    """What to say about leaks, without quoting one."""
    return f"RAW: {', '.join(found)}" if found else "no raw value"


def approve_command(stage: Stage, *arguments: str) -> tuple[int, str]:
    """Run ``scripts/approve.py`` as the approver would; its exit code and what it printed."""
    done = run_command("scripts/approve.py", "--data", str(stage.folders.data), *arguments)
    return done.returncode, done.stdout or done.stderr


def approve_json(stage: Stage, *arguments: str) -> Any:
    """Run ``scripts/approve.py`` for a program: its JSON, or None when it failed."""
    code, printed = approve_command(stage, *arguments, "--json")
    return json.loads(printed) if code == 0 else None
