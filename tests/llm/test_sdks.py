"""The providers' own SDKs through a real gateway: what their users see of masks, refusals, holds and broken streams."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripts import sdks
from tests.live.harness.approver import approve
from tests.live.harness.gateway import Gateway
from tests.live.harness.world import World, make_world, until
from tests.llm.bodies import CARD, MAIL, SSN, STARS
from tests.llm.provider import SAID, Provider
from tests.llm.setting import everything_kept, llm_gateway
from tests.repo.test_lock import ENTRY, HASH

pytestmark = pytest.mark.live

DRIVER = Path(__file__).parent / "drivers" / "sdks.py"
HELD_S = 120  # SDKs take many seconds to import on a busy machine
HELD = ["openai_held", "anthropic_held"]
TOOLS = ["chat_tool", "anthropic_tool"]
DENIED = ["openai_denied", "anthropic_denied"]
LIMITED = ["openai_limited", "anthropic_limited"]
TEXTS = ["chat", "chat_stream", "chat_helper", "responses", "anthropic_messages", "anthropic_bearer"]
BOTH = ["responses_stream", "anthropic_stream"]


class Setting:
    def __init__(self, gateway: Gateway, provider: Provider, world: World, folder: Path) -> None:
        self.gateway, self.provider, self.world, self.folder = gateway, provider, world, folder
        self.token = world.token("mcp-users")

    def start(self, *scenarios: str) -> "subprocess.Popen[str]":
        self.provider.heard.clear()
        command = [str(sdks.PYTHON), "-I", str(DRIVER), f"http://127.0.0.1:{self.gateway.port}", self.token]
        return subprocess.Popen([*command, *scenarios], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def seen(self, running: "subprocess.Popen[str]") -> Any:
        """What the SDKs made of it; nothing regulated came that far."""
        out, errors = running.communicate(timeout=HELD_S)
        assert running.returncode == 0, errors
        assert not any(raw in out for raw in (CARD, MAIL, "correct horse"))
        assert not any(SSN.encode() in body for _, body in self.provider.heard)
        return json.loads(out)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    if not sdks.APART.is_ready():
        if os.environ.get("CI") == "true":
            pytest.fail("the SDKs are missing, and this is CI: run make sdks before the tests")
        pytest.skip("the SDKs are not here: make sdks has not been run, or could not")
    folder = tmp_path_factory.mktemp("sdks")
    provider = Provider()
    world = make_world(tmp_path_factory.mktemp("sdks-world"))
    gateway = llm_gateway(world, provider, folder)
    try:
        yield Setting(gateway.ready(), provider, world, folder)
    finally:
        gateway.kill()
        provider.close()


@pytest.fixture(scope="module")
def seen(setting: Setting) -> Any:
    """What came of every scenario that nobody has to approve, in one process: SDKs take seconds to import."""
    return setting.seen(setting.start(*TEXTS, *BOTH, *TOOLS, *DENIED, *LIMITED, "openai_unknown", "openai_broken"))


def is_masked(text: str) -> bool:
    return re.fullmatch(r"(.*The card is )(.*)( and the mail )(<EMAIL_ADDRESS_\w+>)(\..*)", text) is not None and (
        text.startswith(SAID[: SAID.index(CARD)] + STARS)
    )


@pytest.mark.parametrize("scenario", [*TEXTS, *BOTH])
def test_a_reply_is_what_it_would_be_but_for_the_masks(seen: Any, scenario: str) -> None:
    result = seen[scenario]["result"]
    assert is_masked(result["text"])
    assert result.get("finish") in (None, "stop", "completed", "end_turn")
    assert result.get("final", result["text"]) == result["text"]


@pytest.mark.parametrize("scenario", TOOLS)
def test_a_streamed_tool_call_can_be_read(seen: Any, scenario: str) -> None:
    assert seen[scenario]["result"] == {"name": "pay", "arguments": {"password": "<PASSWORD>", "card": STARS}}


@pytest.mark.parametrize("scenario", DENIED)
def test_a_refusal_is_a_permission_error(seen: Any, scenario: str) -> None:
    assert (seen[scenario]["error"], seen[scenario]["status"]) == ("PermissionDeniedError", 403)
    assert "no access rule allows this call" in seen[scenario]["said"]


def test_nobody_unknown_is_an_authentication_error(seen: Any) -> None:
    assert (seen["openai_unknown"]["error"], seen["openai_unknown"]["status"]) == ("AuthenticationError", 401)


def test_no_refusal_is_tried_again(seen: Any, setting: Setting) -> None:
    assert seen
    assert len(setting.gateway.records("refused")) == len([*DENIED, "openai_unknown"])


@pytest.mark.parametrize("scenario", LIMITED)
def test_an_error_of_the_provider_is_the_sdks_own_and_masked(seen: Any, scenario: str) -> None:
    assert (seen[scenario]["error"], seen[scenario]["status"]) == ("RateLimitError", 429)
    assert f"too many requests about {STARS}" in seen[scenario]["said"]


def test_a_stream_that_breaks_off_is_an_error_and_no_short_answer(seen: Any) -> None:
    assert "error" in seen["openai_broken"]


@pytest.mark.parametrize("scenario", HELD)
def test_a_held_stream_goes_on_once_it_is_approved(setting: Setting, scenario: str) -> None:
    before = len(setting.gateway.records("hold.opened"))
    running = setting.start(scenario)
    until(lambda: len(setting.gateway.records("hold.opened")) > before, "the SDK has asked", within_s=HELD_S)
    approve(setting.gateway, setting.world)
    assert is_masked(setting.seen(running)[scenario]["result"]["text"])
    assert len(setting.provider.heard) == 1


def test_nothing_raw_is_on_disk(seen: Any, setting: Setting) -> None:
    assert seen
    kept = everything_kept(setting.folder)
    assert not any(raw.encode() in kept for raw in (CARD, MAIL, SSN, setting.token))


def test_the_sdks_are_names_versions_and_hashes_only() -> None:
    lines = (sdks.SOURCES / "requirements.txt").read_text("utf-8").splitlines()
    assert [line for line in lines if not ENTRY.fullmatch(line) and not HASH.fullmatch(line)] == []
    assert {"openai", "anthropic"} <= {line.partition("==")[0] for line in lines}


def test_ready_says_by_its_exit_code_whether_it_is() -> None:
    done = subprocess.run([sys.executable, sdks.ROOT / "scripts" / "sdks.py", "--ready"], check=False)
    assert done.returncode == (0 if sdks.APART.is_ready() else 1)
