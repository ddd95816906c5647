"""Steps of the demo: calls that wait for a person, who approves one, denies one, and never sees one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from mcp_types import CallToolResult
from scripts.demo_world.agent import Era, Heard, agent, text_of
from scripts.demo_world.people import DOOMED, TYPED_CARD, TYPED_EMAIL
from scripts.demo_world.rulebook import EXPIRES_S, HOLDING_RULE
from scripts.demo_world.stage import Stage, approve_command, approve_json, leak_sentence, leaks

APPEAR_S_MAX: Final = 20.0  # until a Hold is listed

type Decide = Callable[[str], Awaitable[None]]


async def show_approval(stage: Stage) -> None:
    """Approved, denied, expired; each in one era, so that both are seen to wait."""
    await _approved(stage)
    await _denied(stage)
    await _expired(stage)


async def _approved(stage: Stage) -> None:
    stage.narrator.step("A risky call that waits until a person approves it (protocol 2026-07-28)")
    arguments = {"customer_id": DOOMED, "reason": f"Asked by {TYPED_EMAIL}, old card {TYPED_CARD}"}

    async def decide(ticket: str) -> None:
        code, view = await asyncio.to_thread(approve_command, stage, "show", ticket)
        stage.narrator.say("The approver looks at what waits, masked as it will be kept:")
        stage.narrator.show(view, lines_max=40)
        found = leaks(view)
        shows = code == 0 and "delete_customer" in view and HOLDING_RULE in view
        expected = "the tool, the caller, the rule and the digest, without raw values"
        came = f"exit {code}, {leak_sentence(found)}"
        stage.narrator.expect(expected, came, holds=shows and not found)
        ran = "delete_customer" in stage.executed()
        stage.narrator.expect("the server has not run it yet", "it RAN" if ran else "it did not", holds=not ran)
        await _decide(stage, "approve", ticket, "Ticket 4711 checked")

    result, _ = await _held(stage, Era.STATELESS, "delete_customer", arguments, decide)
    stage.narrator.show(text_of(result))
    count = stage.executed().count("delete_customer")
    stage.narrator.expect(
        "the customer is deleted, once",
        f"{'an error' if result.is_error else text_of(result)}; run {count} times by the server",
        holds=not result.is_error and DOOMED in text_of(result) and count == 1,
    )


async def _denied(stage: Stage) -> None:
    stage.narrator.step("A risky call that the approver denies (protocol 2025-11-25)")
    before = stage.executed()

    async def decide(ticket: str) -> None:
        await _decide(stage, "deny", ticket, "Retention period not over")

    arguments = {"customer_id": "C-1002", "reason": "Customer left"}
    result, _ = await _held(stage, Era.HANDSHAKE, "delete_customer", arguments, decide)
    stage.narrator.show(text_of(result))
    ran = stage.executed() != before
    stage.narrator.expect(
        "an error that gives the approver's no; the server runs nothing",
        f"{'an error' if result.is_error else 'a result'}; the server {'RAN it' if ran else 'did not run it'}",
        holds=bool(result.is_error) and not ran,
    )


async def _expired(stage: Stage) -> None:
    stage.narrator.step(f"A bulk export that nobody decides within {EXPIRES_S} s (protocol 2026-07-28)")
    before = stage.executed()

    async def wait(_: str) -> None:
        stage.narrator.say("The approver is at lunch.")

    result, took_s = await _held(stage, Era.STATELESS, "export_customers", {"purpose": "newsletter"}, wait)
    stage.narrator.show(text_of(result))
    ran = stage.executed() != before
    stage.narrator.expect(
        f"after {EXPIRES_S} s an error that says that nobody decided in time; the server runs nothing",
        f"after {took_s:.1f} s {'an error' if result.is_error else 'a result'}; "
        f"the server {'RAN it' if ran else 'did not run it'}",
        holds=bool(result.is_error) and "in time" in text_of(result) and not ran and took_s >= EXPIRES_S - 1,
    )


async def _held(
    stage: Stage, era: Era, tool: str, arguments: dict[str, Any], decide: Decide
) -> tuple[CallToolResult, float]:
    heard = Heard()
    async with agent(stage.url, stage.token(), era) as client:
        heard.restart()
        call = asyncio.create_task(client.call_tool(tool, arguments))
        ticket = await _ticket(stage, call)
        listed = f"hold {ticket} is listed" if ticket else "no hold is listed"
        stage.narrator.expect("the call waits, and the approver's list shows it", listed, holds=ticket is not None)
        if ticket is not None:
            await decide(ticket)
        return await call, heard.seconds()


async def _ticket(stage: Stage, call: asyncio.Task[CallToolResult]) -> str | None:
    """The id of the one Hold that waits, or None when the call was answered without one."""
    until = asyncio.get_running_loop().time() + APPEAR_S_MAX
    while asyncio.get_running_loop().time() < until and not call.done():
        listed = await asyncio.to_thread(approve_json, stage, "list")
        waiting = [hold["id"] for hold in (listed or {}).get("holds", []) if hold["state"] == "waiting"]
        if waiting:
            return str(waiting[0])
        await asyncio.sleep(0.2)
    return None


async def _decide(stage: Stage, verb: str, ticket: str, reason: str) -> None:
    key = str(stage.folders.approver_key)
    code, printed = await asyncio.to_thread(
        approve_command, stage, verb, ticket, "--key", key, "--reason", reason, "--yes"
    )
    stage.narrator.say(f"$ scripts/approve.py --data DIR {verb} {ticket} --key FILE --reason {reason!r} --yes")
    stage.narrator.show(printed)
    stage.narrator.expect("the decision is accepted", f"exit {code}", holds=code == 0)
