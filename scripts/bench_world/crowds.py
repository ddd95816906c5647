"""The world of the crowds: server, bare mitmdump, gateway, tokens for several Callers; and one crowd at a time."""

import contextlib
import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from scripts.bench_world.contest import AUDIENCE, TOKEN_S, Contest, Target
from scripts.bench_world.measure import LOAD_CORE, cpu_seconds, pin, rss_bytes
from scripts.demo_world.identity_provider import IdentityProvider
from scripts.demo_world.processes import ROOT, child_environment
from scripts.demo_world.rulebook import APPROVERS, USERS, Trust, extended, write_rules

CALLERS_COUNT: Final = 8  # one Caller may have fifty open holds
SETTLE_S: Final = 2.0  # after the last client has left, before memory is looked at again

_HOLDS: Final = f"""\
- id: bench-holds
  description: Held until the benchmark approves it.
  method: tools/call
  name: delete_customer
  approver_groups: [{APPROVERS}]
  wait_s: 900
  expires_s: 900
  matches:
    - {{name: delete_customer, arguments: {{customer_id: C-1}}}}
  passes:
    - {{name: get_customer}}
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Crowds:
    """Who takes part. ``data`` is the gateway's; ``tokens_path`` has a token of each Caller a line."""

    direct: Target
    bare: Target
    gateway: Target
    data: Path
    tokens_path: Path
    one_token_path: Path
    approver_token: str


def prepare(contest: Contest, folder: Path, rate: float, burst_count: int) -> Crowds:
    """Start everything and wait until it listens."""
    port = contest.stub("scripts.bench_world.crowd_stub", "--rate", str(rate), "--burst", str(burst_count))
    provider = contest.enter_context(IdentityProvider())
    rules, data = folder / "rules", folder / "data"
    write_rules(rules, Trust(provider.issuer, AUDIENCE))
    (rules / "budgets.yaml").unlink()  # these Callers are driven faster than any budget lets agents be
    approval = rules / "approval.yaml"
    approval.write_text(extended(approval.read_text("utf-8"), "rules", _HOLDS), "utf-8")

    def token(name: str, group: str) -> str:
        return provider.token(name, audience=AUDIENCE, groups=[group], lifetime_s=TOKEN_S)

    tokens = [token(f"bench-{number}", USERS) for number in range(CALLERS_COUNT)]
    script = str(ROOT / "scripts" / "bench_world" / "stream_script.py")
    return Crowds(
        Target("no proxy", port, None),
        contest.proxy("mitmdump that streams", port, lambda proxy: proxy.bare("-q", "-s", script)),
        contest.proxy("gateway", port, lambda proxy: proxy.guarded(rules, data, ("-q",))),
        data,
        _secret(folder / "tokens", "\n".join(tokens)),
        _secret(folder / "token", token("bench", USERS)),
        token("approver", APPROVERS),
    )


def _secret(path: Path, text: str) -> Path:
    path.touch(mode=0o600)
    path.write_text(text, "ascii")
    return path


@dataclasses.dataclass(slots=True)
class Watched:
    """A crowd, and the process that serves it: memory in bytes, processor seconds. ``told`` is what the crowd says."""

    told: dict[str, Any] = dataclasses.field(default_factory=dict)
    rss_before: int = 0
    rss_at: int = 0
    rss_after: int = 0
    cpu_s: float = 0.0


@contextlib.contextmanager
def crowd(crowds: Crowds, target: Target, *options: str) -> Iterator[Watched]:
    """A crowd that stands before ``target`` while the block lasts; what it tells is there at the end of it.

    Raises:
        RuntimeError: it did not come, or did not come back.
    """
    watched = Watched(rss_before=rss_bytes(target.pid))
    command = [sys.executable, "-m", "scripts.bench_world.crowd", *options]
    command += ["--port", str(target.port), "--token-file", str(crowds.tokens_path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=child_environment({})
    ) as process:
        assert process.stdout
        assert process.stdin
        pin(process.pid, LOAD_CORE)
        if "burst" not in options and process.stdout.readline() != b"ready\n":
            raise RuntimeError("the crowd did not come")
        before_s = cpu_seconds(target.pid)
        yield watched
        watched.rss_at = watched.rss_at or rss_bytes(target.pid)
        watched.cpu_s = cpu_seconds(target.pid) - before_s
        out, _ = process.communicate(b"\n")
    if process.returncode:
        raise RuntimeError(f"the crowd ended with code {process.returncode}")
    watched.told = json.loads(out)
    time.sleep(SETTLE_S)
    watched.rss_after = rss_bytes(target.pid)


def complain(watched: dict[str, Watched], tell: Callable[[str], None]) -> int:
    """Say what went wrong; 0 when nothing did. Only the gateway owes masked events."""
    failed = False
    for name, one in watched.items():
        if one.told["failed_count"]:
            tell(f"{name}: {one.told['failed_count']} clients failed, the first: {one.told['first_failure']}")
            failed = True
        if one.told["raw_count"] and name.startswith("gateway"):
            tell(f"{name}: {one.told['raw_count']} reads carried a raw card number")
            failed = True
    return 1 if failed else 0
