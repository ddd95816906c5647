"""A real mitmdump before a provider of models: prompts, replies and streams on the wire, and nothing raw on disk."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.live.harness.approver import approve, deny
from tests.live.harness.gateway import Gateway
from tests.live.harness.wire import Answer, Wire, request
from tests.live.harness.world import PATIENCE_S, ROOT, World, make_world, until
from tests.llm.bodies import CARD, MAIL, SSN, STARS, chat, message, response
from tests.llm.provider import SAID, Provider
from tests.llm.setting import OWN_KEY, everything_kept, llm_gateway
from tests.llm.talk import chat_text, message_text, response_text

from holdfast.sse import Event, Splitter, parse_event

pytestmark = pytest.mark.live

PATHS: dict[str, Any] = {
    "/v1/chat/completions": (chat, chat_text),
    "/v1/responses": (response, response_text),
    "/anthropic/v1/messages": (message, message_text),
}
PROMPT = f"my SSN is {SSN}, and "


class Bench:
    """The gateway, the provider, and one token."""

    def __init__(self, gateway: Gateway, provider: Provider, world: World, folder: Path) -> None:
        self.gateway, self.provider, self.world, self.folder = gateway, provider, world, folder
        self.token = world.token("mcp-users")

    def ask(self, path: str, body: dict[str, Any], *headers: tuple[str, str]) -> Answer:
        with Wire(self.gateway.port) as wire:
            wire.send(request(self.token, body, target=path, headers=headers))
            answer = wire.answer()
        assert CARD not in answer.body.decode()
        return answer

    def asking(self, path: str, body: dict[str, Any], into: list[Answer]) -> threading.Thread:
        thread = threading.Thread(target=lambda: into.append(self.ask(path, body)))
        thread.start()
        return thread


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("llm")
    provider = Provider()
    world = make_world(tmp_path_factory.mktemp("llm-world"))
    gateway = llm_gateway(world, provider, folder)
    try:
        yield Bench(gateway.ready(), provider, world, folder)
    finally:
        gateway.kill()
        provider.close()


@pytest.fixture(autouse=True)
def _nothing_raw(bench: Bench) -> Iterator[None]:
    """After every test: nothing regulated has reached the provider or the disk, and no credential went astray."""
    bench.provider.heard.clear()
    yield
    for head, body in bench.provider.heard:
        assert SSN not in body.decode()
        assert bench.token not in str(head)
        assert OWN_KEY in (head.get("x-api-key"), head.get("authorization", "").removeprefix("Bearer "))
    kept = everything_kept(bench.folder)
    for raw in (CARD, MAIL, SSN, bench.token, OWN_KEY):
        assert raw.encode() not in kept


def events_of(answer: Answer) -> list[Event]:
    splitter = Splitter()
    return [parse_event(block) for block in splitter.feed(answer.body)]


@pytest.mark.parametrize("path", PATHS)
def test_a_prompt_goes_out_masked_and_its_reply_comes_back_masked(bench: Bench, path: str) -> None:
    answer = bench.ask(path, PATHS[path][0](PROMPT))
    assert answer.status == 200
    assert f"The card is {STARS} and the mail <EMAIL_ADDRESS" in answer.body.decode()
    assert answer.headers["x-request-id"] == "req_1"
    (heard,) = bench.provider.heard
    assert "my SSN is <US_SSN>" in heard[1].decode()
    assert heard[0]["user-agent"] == "holdfast"


@pytest.mark.parametrize("path", PATHS)
def test_a_card_that_a_stream_brings_in_pieces_is_masked(bench: Bench, path: str) -> None:
    ask, read = PATHS[path]
    before = len(bench.gateway.records())
    answer = bench.ask(path, ask(PROMPT, stream=True))
    assert answer.whole
    text = read(events_of(answer))
    assert text.startswith(SAID[: SAID.index(CARD)] + STARS)
    assert MAIL not in text
    typs = [record["typ"] for record in bench.gateway.records()[before:] if record["typ"] != "ledger.heartbeat"]
    assert (typs[0], typs[-1]) == ("call", "reply")
    assert 1 <= typs.count("reply.part") == len(typs) - 2 <= 20


def test_arguments_of_a_streamed_tool_call_are_masked(bench: Bench) -> None:
    for path in ("/v1/chat/completions", "/anthropic/v1/messages"):
        answer = bench.ask(path, PATHS[path][0]("use the tool", stream=True))
        assert "correct horse" not in answer.body.decode()
        assert "<PASSWORD>" in answer.body.decode()


def test_a_model_that_no_rule_allows_is_never_asked(bench: Bench) -> None:
    answer = bench.ask("/v1/chat/completions", chat(PROMPT, model="other-1"))
    assert (answer.status, answer.json()["error"]["code"]) == (403, "denied_by_rule")
    assert bench.provider.heard == []


def test_nobody_unknown_asks(bench: Bench) -> None:
    with Wire(bench.gateway.port) as wire:
        wire.send(request(None, message(PROMPT), target="/anthropic/v1/messages"))
        answer = wire.answer()
    assert (answer.status, answer.json()["error"]["type"]) == (401, "authentication_error")
    with Wire(bench.gateway.port) as wire:
        headers = [("x-api-key", bench.token), ("anthropic-version", "2023-06-01")]
        wire.send(request(None, message(PROMPT), target="/anthropic/v1/messages", headers=headers))
        assert wire.answer().status == 200


def test_an_error_passes_in_form_and_masked(bench: Bench) -> None:
    answer = bench.ask("/anthropic/v1/messages", message("fail"))
    assert (answer.status, answer.headers["retry-after"]) == (429, "0")
    assert answer.json()["error"]["message"] == f"too many requests about {STARS}"


@pytest.mark.parametrize("path", PATHS)
def test_a_stream_that_breaks_off_is_cut_and_recorded_as_lost(bench: Bench, path: str) -> None:
    answer = bench.ask(path, PATHS[path][0]("break", stream=True))
    assert not answer.whole
    until(lambda: bench.gateway.records()[-1]["typ"] == "call.lost", "it is recorded as lost")


def test_a_held_prompt_goes_out_when_it_is_approved(bench: Bench) -> None:
    answers: list[Answer] = []
    thread = bench.asking("/v1/responses", response(f"{PROMPT} bluebird"), answers)
    approve(bench.gateway, bench.world)
    thread.join(PATIENCE_S)
    assert answers[0].status == 200
    assert STARS in answers[0].body.decode()


def test_a_held_prompt_is_403_when_it_is_denied(bench: Bench) -> None:
    answers: list[Answer] = []
    thread = bench.asking("/v1/chat/completions", chat(f"{PROMPT} bluebird"), answers)
    deny(bench.gateway, bench.world)
    thread.join(PATIENCE_S)
    assert (answers[0].status, answers[0].json()["error"]["code"]) == (403, "denied_by_approver")
    assert bench.provider.heard == []


@pytest.mark.parametrize("path", PATHS)
def test_a_client_of_a_stream_hears_comments_while_its_prompt_is_held(bench: Bench, path: str) -> None:
    ask = PATHS[path][0]
    with Wire(bench.gateway.port) as wire:
        wire.send(request(bench.token, ask(f"bluebird {path}", stream=True), target=path))
        wire.until(b": keep-alive\n\n")
        approve(bench.gateway, bench.world)
        rest = wire.until(b"0\r\n\r\n")
    assert STARS.encode() in rest
    assert CARD.encode() not in rest


@pytest.mark.parametrize("path", PATHS)
def test_a_client_of_a_stream_is_told_in_an_event_that_its_prompt_was_denied(bench: Bench, path: str) -> None:
    with Wire(bench.gateway.port) as wire:
        wire.send(request(bench.token, PATHS[path][0](f"no bluebird {path}", stream=True), target=path))
        wire.until(b": keep-alive\n\n")
        deny(bench.gateway, bench.world)
        rest = wire.until(b"0\r\n\r\n")
    assert b"an approver denied the call" in rest
    assert (b"event: error" in rest) == ("messages" in path)


def test_evidence_is_built_over_it_and_verifies(bench: Bench, tmp_path: Path) -> None:
    bench.ask("/v1/responses", response(PROMPT, stream=True))
    out = tmp_path / "evidence.zip"
    build = [sys.executable, "scripts/evidence.py", "build", "--data", str(bench.gateway.data), "--out", str(out)]
    built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    trust = tmp_path / "trust"
    trust.write_text((bench.gateway.data / "keys" / "ledger.vkey").read_text())
    check = [sys.executable, "scripts/evidence.py", "verify", str(out), "--trust", str(trust)]
    verified = subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_whole_of_a_stream_is_in_the_ledger(bench: Bench) -> None:
    bench.ask("/v1/responses", response("again", stream=True))
    reply = bench.gateway.records("reply")[-1]
    assert reply["out"]["ok"] is True
    assert reply["mask"]["counts"] == {"CREDIT_CARD": 1, "EMAIL_ADDRESS": 1}
    assert json.dumps(reply).count("resp_1") == 0, "content is in payloads, not in Records"
