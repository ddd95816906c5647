"""A gateway in a process of its own: real mitmdump or mitmweb, started as an operator starts it."""

import contextlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from tests.live.harness import warm
from tests.live.harness.world import GATEWAY_SCRIPT, PATIENCE_S, ROOT, World, until

from holdfast import jsontext
from holdfast.errors import LedgerError
from holdfast.ledger.reader import open_reader

READY_S: Final = 240  # six seconds alone: the engine is loaded twice; more where many start at once
_LISTENS: Final = re.compile(r"listening at 127\.0\.0\.1:(\d+)")
BIN: Final = Path(sys.executable).parent


class Gateway:
    """A started gateway; ``ready`` waits until it guards."""

    def __init__(  # noqa: PLR0913 -- what a command line may say
        self,
        world: World,
        upstream_port: int,
        folder: Path,
        *,
        tool: str = "mitmdump",
        scripts: Sequence[Path] = (GATEWAY_SCRIPT,),
        options: Iterable[str] = (),
        mode: str | None = None,
        port: int = 0,
        config: str | None = None,
        preexec: Callable[[], None] | None = None,
        cold: bool = False,
    ) -> None:
        """``cold`` is for tests about a first start: nothing is there, neither keys nor automata."""
        self.data = folder / "data"
        self.confdir = folder / "conf"
        self.confdir.mkdir(parents=True, exist_ok=True)
        if config is not None:
            (self.confdir / "config.yaml").write_text(config, "utf-8")
        self._log_path = folder / "log.txt"
        if not cold:
            warm.lend(self.data)
        command = [str(BIN / tool), "--mode", mode or f"reverse:http://127.0.0.1:{upstream_port}"]
        command += ["--listen-host", "127.0.0.1", "--listen-port", str(port)]
        for script in scripts:
            command += ["-s", str(script)]
        settings = {"holdfast_rules": world.rules, "holdfast_data": self.data, "confdir": self.confdir}
        for name, value in settings.items():
            command += ["--set", f"{name}={value}"]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
        with self._log_path.open("ab") as log:
            self._from = log.tell()
            self.process = subprocess.Popen(
                [*command, *options],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=preexec,  # noqa: PLW1509 -- no thread of ours holds a lock that the child needs
            )

    def log(self) -> str:
        """All that it has said since it started."""
        return self._log_path.read_bytes()[self._from :].decode("utf-8", "replace")

    def ready(self) -> "Gateway":
        try:
            until(lambda: " guards " in self.log() or self.process.poll() is not None, "it guards", within_s=READY_S)
        except AssertionError:
            self.kill()
            raise
        assert self.process.poll() is None, f"the gateway did not start:\n{self.log()}"
        warm.take_back(self.data)
        return self

    @property
    def port(self) -> int:
        found = _LISTENS.search(self.log())
        assert found, self.log()
        return int(found[1])

    def ended(self, within_s: float = READY_S) -> int:
        """Its exit code, once it has ended by itself."""
        try:
            return self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def terminate(self) -> int:
        """Ask it to stop as an operator does, and wait."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.ended(PATIENCE_S)

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)

    def records(self, typ: str | None = None) -> list[dict[str, Any]]:
        """The Records of its ledger that are durable now."""
        try:
            with open_reader(self.data) as reader:
                bodies: list[Any] = [jsontext.parse(entry) for _, entry in reader.records()]
        except LedgerError:
            return []
        return [body for body in bodies if typ is None or body["typ"] == typ]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def locked(gateway: Gateway) -> Iterator[None]:
    """Another process has the ledger's database locked: nothing can be recorded."""
    with contextlib.closing(sqlite3.connect(gateway.data / "ledger.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")
