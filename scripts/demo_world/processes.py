"""Child processes that end when the demo ends: started with a log file, watched, and stopped by their own id."""

import contextlib
import dataclasses
import http
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
START_S_MAX: Final = 180.0  # a first start compiles for ten seconds, many times that on a busy machine
STOP_S_MAX: Final = 10.0
_POLL_S: Final = 0.05


class NotReady(Exception):  # noqa: N818 -- reads as the fault it is
    """A process ended, or did not listen in time; names its log file."""


@dataclasses.dataclass(frozen=True, slots=True)
class Child:
    """A running process and the file that it writes its output to."""

    name: str
    process: subprocess.Popen[bytes]
    log_path: Path

    def stop(self) -> None:
        """Ask it to end, then make it."""
        self.process.terminate()
        try:
            self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextlib.contextmanager
def running(
    name: str, argv: Sequence[str], log_path: Path, *, fds: Sequence[int] = (), env: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run ``argv`` from the project's root for as long as the block lasts, handing down the descriptors ``fds``."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            pass_fds=fds,
            env=child_environment(env or {}),
        )
    child = Child(name, process, log_path)
    try:
        yield child
    finally:
        child.stop()


def child_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without HTTP proxies, and with the project importable."""
    kept = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    paths = f"{ROOT}{os.pathsep}{ROOT / 'addons'}"
    return {**kept, "PYTHONPATH": paths, "PYTHONUNBUFFERED": "1", **extra}


def listening_socket() -> socket.socket:
    """A listening loopback socket to hand down: the child cannot miss its port, and early connections wait."""
    return socket.create_server(("127.0.0.1", 0), backlog=256)


def free_port() -> int:
    """A loopback port that nobody uses at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until_ready(child: Child, port: int) -> float:
    """Wait until ``child`` answers an HTTP request with 200; how many seconds that took.

    That it accepts connections says nothing: mitmdump binds its port before it loads a script. The path is one that the
    gateway answers itself, without a credential (RFC 9728), and that a bare mitmdump passes on.

    Raises:
        NotReady: it ended, or took longer than ``START_S_MAX``.
    """
    began = time.monotonic()
    while time.monotonic() - began < START_S_MAX:
        if child.process.poll() is not None:
            raise NotReady(f"{child.name} ended with code {child.process.returncode}; see {child.log_path}")
        with contextlib.suppress(OSError, http.client.HTTPException):
            if _status_of(port) == http.HTTPStatus.OK:
                return time.monotonic() - began
        time.sleep(_POLL_S)
    raise NotReady(f"{child.name} did not answer on port {port} within {START_S_MAX:.0f} s; see {child.log_path}")


def _status_of(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/.well-known/oauth-protected-resource")
        return connection.getresponse().status
    finally:
        connection.close()


def run_command(*argv: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    """Run one of the project's scripts to its end, as a person would, and keep what it printed."""
    command = [sys.executable, *argv]
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=timeout_s,
        check=False,
        env=child_environment({}),
    )


def tool_path(name: str) -> str:
    """The path of a program installed beside the running Python."""
    return str(Path(sys.executable).parent / name)
