"""The calls and replies of the benchmark: 1 KB each, in a mix that says how much a cache could help.

Of every ten messages five carry ordinary prose that never repeats, three carry prose with personal data that never
repeats, and two are the same every time. Which one comes is drawn with a fixed seed, so two runs send the same.
"""

import json
import random
from collections.abc import Iterator
from typing import Any, Final

MESSAGE_BYTES: Final = 1024
POOL_COUNT: Final = 2000  # distinct messages made before the clock runs
SEED: Final = 20260728
STAMP: Final = "STAMPSTAMPSTAMPS"  # replaced by a number of the same width, so that no message repeats
STAMP_BYTES: Final = STAMP.encode()
MODERN: Final = "2026-07-28"
RAW_CARD: Final = "4111 1111 1111 1111"  # stands in three of ten messages; no reply of the gateway may carry it

_WORDS: Final = (
    *("order", "invoice", "shipment", "account", "renewal", "the", "a", "of", "for", "with", "customer", "asked"),
    *("whether", "late", "branch", "region", "contract", "amount", "quarter", "review", "meeting", "Tuesday"),
    *("schedule", "delivery", "returned", "approved", "waiting", "support", "ticket", "warehouse", "label"),
)
_KINDS: Final = ("prose", "prose", "prose", "prose", "prose", "personal", "personal", "personal", "same", "same")


def prose(dice: random.Random, chars: int) -> str:
    """Ordinary words, ``chars`` characters of them."""
    words: list[str] = []
    length = 0
    while length <= chars:
        words.append(dice.choice(_WORDS))
        length += len(words[-1]) + 1
    return " ".join(words)[:chars]


def _personal(dice: random.Random) -> str:
    digits = f"{dice.randrange(10**6):06d}"
    return f"card {RAW_CARD}, mail agent{digits}@example.com, SSN 219-09-{dice.randrange(1, 9999):04d}. "


def _text(dice: random.Random, kind: str, chars: int) -> str:
    if kind == "same":
        return prose(random.Random(1), chars)  # noqa: S311 -- test data
    head = f"case {STAMP}: " + (_personal(dice) if kind == "personal" else "")
    return head + prose(dice, max(chars - len(head), 0))


def _call(text: str) -> dict[str, Any]:
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": "search_customers", "arguments": {"text": text, "limit": 20, "exact": False}, "_meta": meta}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


def _reply(text: str) -> dict[str, Any]:
    content = [{"type": "text", "text": text}]
    return {"jsonrpc": "2.0", "id": 1, "result": {"content": content, "isError": False, "resultType": "complete"}}


def _padded(dice: random.Random, kind: str, build: Any) -> bytes:
    empty = len(json.dumps(build(""), separators=(",", ":")))
    return json.dumps(build(_text(dice, kind, MESSAGE_BYTES - empty)), separators=(",", ":")).encode()


def calls(seed: int = SEED) -> tuple[bytes, ...]:
    """The pool of calls, each ``MESSAGE_BYTES`` long."""
    dice = random.Random(seed)  # noqa: S311 -- test data
    return tuple(_padded(dice, dice.choice(_KINDS), _call) for _ in range(POOL_COUNT))


def replies(seed: int = SEED + 1) -> tuple[bytes, ...]:
    """The pool of replies, each ``MESSAGE_BYTES`` long."""
    dice = random.Random(seed)  # noqa: S311 -- test data
    return tuple(_padded(dice, dice.choice(_KINDS), _reply) for _ in range(POOL_COUNT))


def stamped(pool: tuple[bytes, ...], start: int) -> Iterator[bytes]:
    """The messages of the pool for ever, each with a number of its own."""
    number = start
    while True:
        yield pool[number % len(pool)].replace(STAMP_BYTES, b"%016d" % number)
        number += 1


def request_bytes(port: int, body: bytes, token: str, tool: str = "search_customers") -> bytes:
    """One HTTP request that carries ``body``."""
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nAuthorization: Bearer {token}\r\n"
        f"MCP-Protocol-Version: {MODERN}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def stream_call(tool: str = "recalculate_scores") -> bytes:
    """A call that a stub answers with an event stream."""
    call = _call("stream")
    call["params"]["name"] = tool
    call["params"]["_meta"]["progressToken"] = "p1"
    return json.dumps(call, separators=(",", ":")).encode()


def held_request_bytes(port: int, token: str, customer_id: str, server_wait_s: int) -> bytes:
    """A call of the handshake era that the gateway holds; the stub answers it after ``server_wait_s``."""
    arguments = {"customer_id": customer_id, "wait_s": server_wait_s}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    body = json.dumps({**call, "params": {"name": "delete_customer", "arguments": arguments}}, separators=(",", ":"))
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Accept: application/json, text/event-stream\r\nAuthorization: Bearer {token}\r\n"
        f"MCP-Protocol-Version: 2025-11-25\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return f"{head}{body}".encode()
