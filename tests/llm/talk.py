"""One exchange with an LLM API through a gate without a proxy."""

import json
from collections.abc import Iterable
from typing import Any

from tests.gate.works import Works

from holdfast.exchange import Answer, Head
from holdfast.llm.stream import LlmStream
from holdfast.passage import Admission
from holdfast.sse import Event, Splitter, parse_event

EVENTS = ("content-type", "text/event-stream")


async def ask(works: Works, path: str, body: object, *headers: tuple[str, str], who: str | None = None) -> Any:
    return await works.gate.admit(works.post(body, *headers, who=who, path=path), works.screen)


async def admitted(works: Works, path: str, body: object, *headers: tuple[str, str]) -> Admission:
    admission = await ask(works, path, body, *headers)
    assert isinstance(admission, Admission), admission
    return admission


def sent(admission: Admission) -> Any:
    return json.loads(admission.outgoing.body)


def told(answer: Answer) -> Any:
    return json.loads(answer.body)


async def opened(works: Works, admission: Admission, *headers: tuple[str, str]) -> LlmStream:
    stream = LlmStream(works.gate, admission, works.screen)
    answer = await stream.open(Head(200, (EVENTS, *headers)))
    assert answer is not None
    assert answer.status == 200
    return stream


async def streamed(works: Works, admission: Admission, blocks: Iterable[bytes], *, at_once: int = 1) -> list[Event]:
    """The events that came out, ``at_once`` blocks to a batch; the stream is closed in good order."""
    stream = await opened(works, admission)
    out = await through(stream, list(blocks), at_once=at_once)
    await stream.close(None)
    return out


async def through(stream: LlmStream, blocks: list[bytes], *, at_once: int = 1) -> list[Event]:
    splitter = Splitter()
    events: list[Event] = []
    for start in range(0, len(blocks), at_once):
        out = await stream.release(blocks[start : start + at_once])
        assert out is not None, "the stream was cut"
        events += [parse_event(block) for block in splitter.feed(out)]
    return events


def data_of(events: list[Event]) -> list[Any]:
    return [json.loads(event.data) for event in events if event.data not in (None, "[DONE]")]


def chat_text(events: list[Event]) -> str:
    choices = [choice for data in data_of(events) for choice in data["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def message_text(events: list[Event], member: str = "text") -> str:
    deltas = [data["delta"] for data in data_of(events) if data["type"] == "content_block_delta"]
    return "".join(delta.get(member, "") for delta in deltas)


def response_text(events: list[Event]) -> str:
    return "".join(data["delta"] for data in data_of(events) if data["type"] == "response.output_text.delta")
