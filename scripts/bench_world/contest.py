"""The contest of ``bench.py gateway``: who takes part, and the rounds in turn."""

import contextlib
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from scripts.bench_world.measure import LOAD_CORE, PROXY_CORE, Round, pin, run_load
from scripts.demo_world.gateway import Proxy
from scripts.demo_world.identity_provider import IdentityProvider
from scripts.demo_world.processes import ROOT, Child, free_port, listening_socket, running, wait_until_ready
from scripts.demo_world.rulebook import USERS, Trust, write_rules

WARM_S: Final = 1.5  # caches fill, connections open
TOKEN_S: Final = 3600
AUDIENCE: Final = "https://gateway.example/mcp"


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """Something that answers calls, and the process whose time is counted (None for the stub itself)."""

    name: str
    port: int
    pid: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class Effort:
    """How much to measure."""

    seconds: float
    round_count: int
    connection_count: int
    stream_count: int


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """Everybody who takes part, and the token that they are shown."""

    targets: tuple[Target, ...]
    streaming: tuple[Target, ...]
    token_path: Path


class Contest(contextlib.ExitStack):
    """Starts stub, identity provider and proxies in ``folder``; leaving the block ends them."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def prepare(self) -> Field:
        """Start everything and wait until it listens."""
        pin(os.getpid(), LOAD_CORE)
        upstream = self.stub("scripts.bench_world.stub")
        provider = self.enter_context(IdentityProvider())
        rules = self._folder / "rules"
        write_rules(rules, Trust(provider.issuer, AUDIENCE))
        (rules / "budgets.yaml").unlink()  # one Caller is driven faster than any budget lets an agent be
        token_path = self._folder / "token"
        token_path.touch(mode=0o600)
        token_path.write_text(provider.token("bench", audience=AUDIENCE, groups=[USERS], lifetime_s=TOKEN_S))
        script = str(ROOT / "scripts" / "bench_world" / "stream_script.py")
        bare = self.proxy("bare mitmdump", upstream, lambda proxy: proxy.bare("-q"))
        relay = self.proxy("mitmdump that streams", upstream, lambda proxy: proxy.bare("-q", "-s", script))
        data = self._folder / "data"
        gateway = self.proxy("gateway", upstream, lambda proxy: proxy.guarded(rules, data, ("-q",)))
        direct = Target("no proxy", upstream, None)
        return Field((direct, bare, gateway), (direct, relay, gateway), token_path)

    def stub(self, module: str, *options: str) -> int:
        """Start the server ``module`` on the core of the load; its port."""
        listener = self.enter_context(listening_socket())
        fd = listener.fileno()
        argv = [sys.executable, "-m", module, "--fd", str(fd), *options]
        child = self._run("stub", argv, fds=[fd])
        pin(child.process.pid, LOAD_CORE)
        return int(listener.getsockname()[1])

    def proxy(self, name: str, upstream: int, command: Callable[[Proxy], list[str]]) -> Target:
        """Start a proxy before ``upstream`` on the proxies' core, and wait until it answers."""
        home = self._folder / name.replace(" ", "-")
        home.mkdir()
        proxy = Proxy(free_port(), f"http://127.0.0.1:{upstream}", home)
        child = self._run(name.replace(" ", "-"), command(proxy))
        pin(child.process.pid, PROXY_CORE)
        wait_until_ready(child, proxy.port)
        return Target(name, proxy.port, child.process.pid)

    def _run(self, name: str, argv: Sequence[str], fds: Sequence[int] = ()) -> Child:
        return self.enter_context(running(name, argv, self._folder / f"{name}.log", fds=fds))


def call_rounds(field: Field, effort: Effort, tell: Callable[[str], None]) -> dict[str, list[Round]]:
    """Rounds of calls, the targets in turn, so that a slow minute of the machine meets all of them."""
    rounds: dict[str, list[Round]] = {target.name: [] for target in field.targets}
    start = 0
    for target in field.targets:
        start += len(_one(field, target, effort, start, WARM_S).times_us)
    for number in range(effort.round_count):
        for target in field.targets:
            done = _one(field, target, effort, start, effort.seconds)
            start += len(done.times_us) + effort.connection_count
            rounds[target.name].append(done)
            tell(f"round {number + 1} of {effort.round_count}, {target.name}: {len(done.times_us)} calls")
    return rounds


def stream_rounds(field: Field, effort: Effort) -> dict[str, list[Round]]:
    """How long the first event of a stream takes, through each target that passes streams on."""
    rounds: dict[str, list[Round]] = {target.name: [] for target in field.streaming}
    for _ in range(effort.round_count):
        for target in field.streaming:
            arguments = (*_address(field, target), "--streams", "--count", str(effort.stream_count))
            rounds[target.name].append(run_load(target.pid, arguments, effort.seconds))
    return rounds


def _one(field: Field, target: Target, effort: Effort, start: int, seconds: float) -> Round:
    arguments = (
        *_address(field, target),
        *("--seconds", str(seconds), "--connections", str(effort.connection_count), "--start", str(start)),
    )
    return run_load(target.pid, arguments, seconds)


def _address(field: Field, target: Target) -> tuple[str, ...]:
    return ("--port", str(target.port), "--token-file", str(field.token_path))
