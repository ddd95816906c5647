"""Requests and replies of the three APIs as their SDKs and servers write them, and the events of a stream."""

import json
from collections.abc import Iterable
from typing import Any, Final

from holdfast.exchange import Upstream
from holdfast.policy.servers import Kind, Server

CARD: Final = "4012 8888 8888 1881"  # no example of the rules, which are in the ledger too
STARS: Final = "************1881"
SSN: Final = "321-45-6780"
MAIL: Final = "carla.voss@example.com"
PROSE: Final = "The quick brown fox jumps over the lazy dog, and nothing of it is anybody's business. "

OPENAI: Final = Server(
    id="openai",
    upstream=Upstream("llm", 80, tls=False),
    paths={"/v1/chat/completions": "/v1/chat/completions", "/v1/responses": "/v1/responses"},
    kind=Kind.LLM,
    credential=("authorization", "Bearer the-gateway's-own"),
)
ANTHROPIC: Final = Server(
    id="anthropic",
    upstream=Upstream("llm", 80, tls=False),
    paths={"/v1/messages": "/v1/messages", "/v1/messages/count_tokens": "/v1/messages/count_tokens"},
    kind=Kind.LLM,
    credential=("x-api-key", "the-gateway's-own"),
)
ACCESS: Final = """\
version: 1
rules:
  - id: no-remote-tools
    description: The model's provider does not call MCP servers for us.
    effect: deny
    method: llm/*
    params: [{path: '/tools/*/type', one_of: [mcp]}]
  - id: models
    description: Users may ask these models.
    effect: allow
    caller: {groups: [mcp-users]}
    method: llm/*
    name: ["gpt-*", "claude-*"]
"""
APPROVAL: Final = """\
version: 1
approvers: []
rules:
  - id: secret-project
    description: Prompts about the project are approved.
    method: llm/*
    text: ['bluebird']
    approver_groups: [mcp-approvers]
    wait_s: 30
"""


def chat(text: str, model: str = "gpt-5", **more: Any) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def response(text: str, model: str = "gpt-5", **more: Any) -> dict[str, Any]:
    return {"model": model, "input": text, **more}


def message(text: str, model: str = "claude-sonnet", **more: Any) -> dict[str, Any]:
    return {"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": text}], **more}


def chat_reply(text: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1732300000, "model": "gpt-5"}
    return {**head, "choices": [choice], "usage": usage}


def message_reply(text: str) -> dict[str, Any]:
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet"}
    end = {"stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": 9, "output_tokens": 12}}
    return {**head, "content": [{"type": "text", "text": text}], **end}


def response_reply(text: str, status: str = "completed") -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"id": "item_1", "type": "message", "role": "assistant", "status": status, "content": [part]}
    head = {"id": "resp_1", "object": "response", "created_at": 1732300000, "model": "gpt-5", "status": status}
    more = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "error": None, "instructions": None}
    return {**head, **more, "output": [item] if text else []}


def sse(data: Any, name: str | None = None) -> bytes:
    text = data if isinstance(data, str) else json.dumps(data)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


def chunk(delta: dict[str, Any], finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    choice = {"index": index, "delta": delta, "finish_reason": finish, "logprobs": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1732300000, "model": "gpt-5"}
    return sse({**head, "choices": [choice], **more})


def chat_stream(parts: Iterable[str]) -> list[bytes]:
    """A stream of chat completions whose deltas are ``parts``."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1732300000, "model": "gpt-5"}
    usage = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": part}, obfuscation="aX9") for part in parts),
        chunk({}, "stop"),
        sse({**head, "choices": [], "usage": usage}),
        sse("[DONE]"),
    ]


def chat_tool_stream(parts: Iterable[str]) -> list[bytes]:
    """A stream of chat completions that calls a tool, whose arguments come as ``parts``."""
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "pay", "arguments": ""}}
    return [
        chunk({"role": "assistant", "content": None, "tool_calls": [call]}),
        *(chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}) for part in parts),
        chunk({}, "tool_calls"),
        sse("[DONE]"),
    ]


def _typed(*events: dict[str, Any]) -> list[bytes]:
    return [sse(event, event["type"]) for event in events]


def message_stream(parts: Iterable[str], thinking: Iterable[str] = ()) -> list[bytes]:
    """A stream of messages with a text block, after a block of thinking."""
    start = {**message_reply(""), "content": [], "stop_reason": None}
    thoughts = [{"type": "thinking_delta", "thinking": part} for part in thinking]
    texts = [{"type": "text_delta", "text": part} for part in parts]
    return _typed(
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
        {"type": "ping"},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in thoughts),
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "c2lnbmVk"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 1, "delta": delta} for delta in texts),
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 12}},
        {"type": "message_stop"},
    )


def message_tool_stream(parts: Iterable[str]) -> list[bytes]:
    """A stream of messages that uses a tool, whose input comes as ``parts``."""
    block = {"type": "tool_use", "id": "toolu_1", "name": "pay", "input": {}}
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in parts]
    return _typed(
        {"type": "message_start", "message": {**message_reply(""), "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 12}},
        {"type": "message_stop"},
    )


def response_stream(parts: Iterable[str]) -> list[bytes]:
    """A stream of responses with one message."""
    parts = list(parts)
    text = "".join(parts)
    ids = {"item_id": "item_1", "output_index": 0, "content_index": 0}
    whole = response_reply(text)
    item = whole["output"][0]
    begun = {**item, "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": response_reply("", "in_progress")},
        {"type": "response.in_progress", "response": response_reply("", "in_progress")},
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        {"type": "response.content_part.added", **ids, "part": part},
        *({"type": "response.output_text.delta", **ids, "delta": one, "logprobs": []} for one in parts),
        {"type": "response.output_text.done", **ids, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **ids, "part": {**part, "text": text}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": whole},
    ]
    return _typed(*({**event, "sequence_number": number} for number, event in enumerate(events)))
