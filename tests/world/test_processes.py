"""Child processes of the demo end with it, whatever happens."""

import os
import sys
from pathlib import Path

import pytest
from scripts.demo_world.processes import NotReady, child_environment, free_port, run_command, running, wait_until_ready

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_child_ends_when_the_block_fails(tmp_path: Path) -> None:
    sleeper = running("sleeper", SLEEPER, tmp_path / "log")
    child = sleeper.__enter__()
    assert is_alive(child.process.pid)
    assert not sleeper.__exit__(RuntimeError, RuntimeError("the demo failed"), None)
    assert not is_alive(child.process.pid)


def test_a_child_that_ended_early_is_named_with_its_log(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "raise SystemExit(3)"]
    with (
        running("gateway", argv, tmp_path / "log") as child,
        pytest.raises(NotReady, match=r"gateway ended with code 3; see .*log"),
    ):
        wait_until_ready(child, free_port())


def test_children_know_no_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    assert "HTTPS_PROXY" not in child_environment({})


def test_a_command_can_import_the_project() -> None:
    done = run_command("-c", "import holdfast, scripts.demo_world; print('both')")
    assert (done.returncode, done.stdout) == (0, "both\n")


def test_a_child_is_ready_when_it_answers(tmp_path: Path) -> None:
    page = tmp_path / ".well-known" / "oauth-protected-resource"
    page.parent.mkdir()
    page.write_text("{}", "ascii")
    port = free_port()
    argv = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(tmp_path)]
    with running("server", argv, tmp_path / "log") as child:
        assert wait_until_ready(child, port) < 30
