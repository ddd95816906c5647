"""Starts that would leave a way beside the gate: the process names the option, ends with 1 and serves nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from tests.live.harness.gateway import Gateway, free_port
from tests.live.harness.upstream import Upstream
from tests.live.harness.world import GATEWAY_SCRIPT, World, in_parallel

pytestmark = pytest.mark.live


def setting(name: str, value: str) -> dict[str, Any]:
    return {"options": ["--set", f"{name}={value}"], "says": f"option {name} must be"}


RULE_OF_MODES: Final = "Holdfast runs in one mode"
# What is given at start, and what the process says before it ends.
UNSAFE: Final[dict[str, dict[str, Any]]] = {
    "raw passage for some hosts": setting("ignore_hosts", ".*"),
    "raw passage for all but some hosts": setting("allow_hosts", "nothing"),
    "raw TCP for some hosts": setting("tcp_hosts", ".*"),
    "large bodies streamed": setting("stream_large_bodies", "1k"),
    "ambiguous lengths let through": setting("validate_inbound_headers", "false"),
    "another server": setting("map_remote", "|.*|http://127.0.0.1:9"),
    "another body": setting("modify_body", "|.*|x"),
    "another header": setting("modify_headers", "|.*|authorization|x"),
    "sticky credentials": setting("stickyauth", ".*"),
    "certificates not checked": setting("ssl_insecure", "true"),
    "an option of ours that does not exist": {
        "options": ["--set", "holdfast_rulez=x"],
        "says": "unknown option holdfast_rulez",
    },
    "signs of life without a pause": {"options": ["--set", "holdfast_keep_alive=0"], "says": "from 1 to 240"},
    "the mode regular": {"mode": "regular", "says": RULE_OF_MODES},
    "the mode socks5": {"mode": "socks5", "says": RULE_OF_MODES},
    "the mode upstream": {"mode": "upstream:http://127.0.0.1:9", "says": RULE_OF_MODES},
    "raw TCP to the server": {"mode": "reverse:tcp://127.0.0.1:9", "says": RULE_OF_MODES},
    "a second mode": {"options": ["--mode", f"socks5@{free_port()}"], "says": RULE_OF_MODES},
    "a second server": {
        "options": ["--mode", f"reverse:http://127.0.0.1:9@{free_port()}"],
        "says": "give --mode once",
    },
    "config.yaml with raw passage": {"config": "ignore_hosts: ['.*']\n", "says": "option ignore_hosts must be"},
    "config.yaml that overrides the rules": {"config": "holdfast_rules: /nowhere\n", "says": "/nowhere"},
}


class Outcome(NamedTuple):
    code: int
    log: str


@pytest.fixture(scope="module")
def outcomes(world: World, shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    def run(name: str) -> tuple[str, Outcome]:
        given = {key: value for key, value in UNSAFE[name].items() if key != "says"}
        gateway = Gateway(world, shared_upstream.port, tmp_path_factory.mktemp("start"), **given)
        return name, Outcome(gateway.ended(), gateway.log())

    return dict(in_parallel(run, list(UNSAFE)))


@pytest.mark.parametrize("name", UNSAFE)
def test_an_unsafe_start_is_refused_with_a_reason(outcomes: dict[str, Outcome], name: str) -> None:
    outcome = outcomes[name]
    assert outcome.code == 1
    assert UNSAFE[name]["says"] in outcome.log
    assert " guards " not in outcome.log


def broken_gateway(folder: Path, text: str) -> Path:
    """`gateway.py` with ``text`` at its end, beside the package as it is."""
    (folder / "holdfast").symlink_to(GATEWAY_SCRIPT.parent / "holdfast")
    script = folder / "gateway.py"
    script.write_text(GATEWAY_SCRIPT.read_text("utf-8") + text, "utf-8")
    return script


BROKEN_SCRIPTS: Final = {
    "a syntax error": "\n)",
    "an import error": "\nimport holdfast.nothing\n",
    "no addons": "\naddons = []\nraise SystemError\n",
    "a load that raises": "\nclass L:\n  def load(self, loader): raise ValueError\naddons.append(L())\n",
    "a running that raises": "\nclass R:\n  def running(self): raise ValueError\naddons.append(R())\n",
}


@pytest.fixture(scope="module")
def broken(world: World, shared_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    def run(name: str) -> tuple[str, Outcome]:
        folder = tmp_path_factory.mktemp("broken")
        script = broken_gateway(folder, BROKEN_SCRIPTS[name])
        gateway = Gateway(world, shared_upstream.port, folder, scripts=[script])
        return name, Outcome(gateway.ended(), gateway.log())

    return dict(in_parallel(run, list(BROKEN_SCRIPTS)))


@pytest.mark.parametrize("name", BROKEN_SCRIPTS)
def test_a_gateway_that_cannot_load_ends_at_once(broken: dict[str, Outcome], name: str) -> None:
    assert broken[name].code == 1


def spoil_rules(world: World, folder: Path) -> None:
    (world.rules / "access.yaml").write_text("version: 1\nrulez: []\n", "utf-8")


def open_key(world: World, folder: Path) -> None:
    keys = folder / "data" / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "ledger.pem").write_text("not a key", "utf-8")


SPOILS: Final[dict[str, Callable[[World, Path], None]]] = {"access.yaml:": spoil_rules, "ledger.pem": open_key}


@pytest.mark.parametrize("says", SPOILS)
def test_without_its_rules_or_keys_the_gateway_does_not_start(
    world: World, shared_upstream: Upstream, tmp_path: Path, says: str
) -> None:
    other = World(tmp_path / "world", world.key)
    shutil.copytree(world.folder, other.folder)
    SPOILS[says](other, tmp_path)
    gateway = Gateway(other, shared_upstream.port, tmp_path)
    assert gateway.ended() == 1
    assert says in gateway.log()
