"""Any events at all: some come out masked, or the stream is cut; nothing raw, and no failure of the gateway's own."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gate.works import Works
from tests.llm.bodies import CARD, SSN, chat, message, response, sse
from tests.llm.talk import admitted, opened

SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
ASKED: dict[str, Any] = {"/v1/chat/completions": chat, "/v1/responses": response, "/v1/messages": message}
NAMES = st.sampled_from(
    [
        *("type", "index", "delta", "content", "text", "choices", "tool_calls", "function", "arguments", "role"),
        *("finish_reason", "thinking", "refusal", "reasoning_content", "partial_image_b64", "custom", "id", "name"),
        *("content_block", "partial_json", "message", "usage", "response", "output", "item", "output_index", "error"),
        *("input", "citation", "signature", "logprobs", "sequence_number", "obfuscation", "image_url", "data"),
    ]
)
KINDS = st.sampled_from(
    [
        *("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"),
        *("message_stop", "ping", "error", "response.created", "response.output_text.delta", "response.completed"),
        *("response.output_text.done", "response.output_item.done", "response.failed", "a.later.one"),
    ]
)
TEXTS = st.sampled_from([CARD, f"the SSN is {SSN}", "{", "[DONE]", "", "stop"])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(-2, 3), TEXTS, KINDS)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=12,
)
# What the API reads travels as it is, so nothing regulated is put there.
READ = frozenset(
    {"type", "index", "id", "name", "role", "signature", "finish_reason", "usage", "output_index", "sequence_number"}
)
EVENTS = st.one_of(
    VALUES,
    st.builds(lambda kind, more: {**more, "type": kind}, KINDS, st.dictionaries(NAMES, VALUES, max_size=5)),
    st.builds(lambda delta: {"choices": [{"index": 0, "delta": delta}]}, st.dictionaries(NAMES, VALUES, max_size=4)),
    st.just("[DONE]"),
)


def tamed(value: Any, *, is_read: bool = False) -> Any:
    if isinstance(value, dict):
        return {name: tamed(item, is_read=is_read or name in READ) for name, item in value.items()}
    if isinstance(value, list):
        return [tamed(item, is_read=is_read) for item in value]
    return "read" if is_read and isinstance(value, str) and any(raw in value for raw in (CARD, SSN)) else value


@pytest.mark.parametrize("path", ASKED)
@SETTINGS
@given(events=st.lists(EVENTS, max_size=8), at_once=st.integers(1, 4))
async def test_any_events_come_out_masked_or_cut_the_stream(
    works: Works, caplog: pytest.LogCaptureFixture, path: str, events: list[Any], at_once: int
) -> None:
    caplog.clear()
    stream = await opened(works, await admitted(works, path, ASKED[path]("x", stream=True)))
    blocks = [sse(tamed(event)) for event in events]
    out = b""
    for start in range(0, len(blocks), at_once):
        gone = await stream.release(blocks[start : start + at_once])
        if gone is None:
            break
        out += gone
    await stream.close("the test ends")
    assert CARD.encode() not in out
    assert SSN.encode() not in out
    assert "a stage failed" not in caplog.text
    last = works.records()[-1]
    assert last["typ"] in ("reply", "call.lost")
    assert CARD not in json.dumps(last)
