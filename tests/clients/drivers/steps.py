"""What every Python driver does: read an order, take its steps one after another, say each as a line of JSON.

The order comes on stdin: ``{"url", "token", "transport": "http" | "sse", "era": "auto" | "legacy", "steps": [...]}``. A
step is ``{"do": "list"}`` or ``{"do": "call", "name", "arguments"}``. With ``"patient": true`` a call that is answered
with a ticket is repeated, as a model does that is told to. The first line says what was agreed on, then there is one
line a step: ``{"s": seconds, "tries", "tools": [...]}``, ``{..., "text", "error": bool}`` or ``{..., "raised"}``.
"""

import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

TRIES_MAX = 8  # of a patient call; each takes the gateway's cap, and ten minutes are enough
TICKET = "approval is pending"

type Lister = Callable[[], Awaitable[list[str]]]
type Caller = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


def order() -> dict[str, Any]:
    asked: dict[str, Any] = json.load(sys.stdin)
    return asked


def say(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


async def take(steps: list[dict[str, Any]], lister: Lister, caller: Caller) -> None:
    """Take ``steps``; ``caller`` answers with the result of `tools/call` as it is on the wire."""
    for step in steps:
        begun_s = time.monotonic()
        line: dict[str, Any] = {"tries": 0}
        try:
            if step["do"] == "list":
                line |= {"tools": await lister()}
            else:
                line |= await _call(step, caller)
        except Exception as error:  # noqa: BLE001 -- what a client raises is what the test asks about
            line |= {"raised": f"{type(error).__name__}: {error}"}
        say(line | {"s": round(time.monotonic() - begun_s, 1)})


async def _call(step: dict[str, Any], caller: Caller) -> dict[str, Any]:
    tries, told = 0, True
    line: dict[str, Any] = {}
    while told and tries < TRIES_MAX:
        result, tries = await caller(step["name"], step["arguments"]), tries + 1
        text = "\n".join(item["text"] for item in result["content"] if item["type"] == "text")
        line = {"tries": tries, "text": text, "error": bool(result.get("isError"))}
        told = line["error"] and TICKET in text and step.get("patient", False)
    return line
