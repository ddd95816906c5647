"""`gateway.py` edited, broken or deleted while it runs: what runs goes on guarding."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests.live.harness.bench import Bench
from tests.live.harness.gateway import Gateway
from tests.live.harness.upstream import Upstream
from tests.live.harness.world import GATEWAY_SCRIPT, World

pytestmark = pytest.mark.live

EDITS: Final = {
    "a syntax error": "def (",
    "an import error": "import holdfast.nothing",
    "nothing at all": "",
    "no addons": "addons = []",
    "a load that raises": "class L:\n  def load(self, loader): raise ValueError\naddons = [L()]",
    "a deed of its own": "import os\nclass L:\n  def request(self, flow): flow.response = None\naddons = [L()]",
    "the same again": None,
    "no file": "delete",
}
RELOAD_S: Final = 1.0  # mitmproxy looks at the file's time once a second
PAUSE_S: Final = 0.02  # so that however quick the machine is, all tests of a minute stay within the Caller's budget


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edited")
    (folder / "holdfast").symlink_to(GATEWAY_SCRIPT.parent / "holdfast")
    (folder / "gateway.py").write_bytes(GATEWAY_SCRIPT.read_bytes())
    return folder


@pytest.fixture(scope="module")
def gateway(world: World, shared_upstream: Upstream, folder: Path) -> Iterator[Gateway]:
    gateway = Gateway(world, shared_upstream.port, folder, scripts=[folder / "gateway.py"])
    try:
        yield gateway.ready()
    finally:
        gateway.kill()


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_of_the_running_script_changes_nothing(bench: Bench, folder: Path, name: str) -> None:
    script = folder / "gateway.py"
    text = EDITS[name]
    if text == "delete":
        script.unlink()
    else:
        script.write_text(GATEWAY_SCRIPT.read_text("utf-8") if text is None else text, "utf-8")
    until_s = time.monotonic() + 1.2 * RELOAD_S
    while time.monotonic() < until_s:
        assert "1881" in bench.ask().text()
        bench.check_nothing_leaked()
        time.sleep(PAUSE_S)


def test_deleting_the_rules_changes_nothing_either(bench: Bench, world: World) -> None:
    aside = world.rules.rename(world.folder / "aside")
    try:
        assert "1881" in bench.ask().text()
    finally:
        aside.rename(world.rules)
