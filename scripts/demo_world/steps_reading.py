"""Steps of the demo: replies and streams that come back masked, and a tool that nobody may use."""

from scripts.demo_world.agent import Era, Heard, agent, text_of
from scripts.demo_world.people import CUSTOMERS
from scripts.demo_world.rulebook import DENYING_RULE
from scripts.demo_world.stage import Stage, leak_sentence, leaks


async def show_reading(stage: Stage) -> None:
    """A masked reply, a masked stream, a denied tool: in both eras of the protocol."""
    for era in Era:
        await _read(stage, era)
    for era in Era:
        await _stream(stage, era)
    await _denied(stage)


async def _read(stage: Stage, era: Era) -> None:
    stage.narrator.step(f"A read whose reply is masked, by a client of protocol {era.version}")
    async with agent(stage.url, stage.token(), era) as client:
        version = client.protocol_version
        tools = await client.list_tools()
        result = await client.call_tool("get_customer", {"customer_id": "C-1001"})
    stage.narrator.say(f"The client negotiated {version} and sees {len(tools.tools)} tools. The reply of get_customer:")
    stage.narrator.show(text_of(result))
    found = leaks(result)
    stage.narrator.expect(
        f"protocol {era.version}, the customer's name and score, and no card, SSN, e-mail or IBAN",
        f"protocol {version}, {'an error' if result.is_error else 'a result'}, {leak_sentence(found)}",
        holds=version == era.version and not result.is_error and not found and "Mara Lindqvist" in text_of(result),
    )


async def _stream(stage: Stage, era: Era) -> None:
    stage.narrator.step(f"A streamed reply, masked event by event, by a client of protocol {era.version}")
    heard = Heard()
    async with agent(stage.url, stage.token(), era, heard) as client:
        heard.restart()
        result = await client.call_tool("recalculate_scores", {}, progress_callback=heard.on_progress)
        ended_s = heard.seconds()
    stage.narrator.show("\n".join(f"{at_s:6.2f} s  {text}" for at_s, text in heard.events))
    stage.narrator.show(f"{ended_s:6.2f} s  reply: {text_of(result)}")
    first_s = heard.events[0][0] if heard.events else ended_s
    found = leaks((heard.events, result))
    stage.narrator.expect(
        f"{2 * len(CUSTOMERS)} events, the first long before the reply, none with a raw value",
        f"{len(heard.events)} events, the first {ended_s - first_s:.2f} s before the reply, {leak_sentence(found)}",
        holds=len(heard.events) == 2 * len(CUSTOMERS) and first_s < ended_s / 2 and not found,
    )


async def _denied(stage: Stage) -> None:
    stage.narrator.step("A tool that a rule denies")
    async with agent(stage.url, stage.token(), Era.STATELESS) as client:
        result = await client.call_tool("purge_logs", {"before": "2026-01-01"})
    stage.narrator.show(text_of(result))
    ran = "purge_logs" in stage.executed()
    stage.narrator.expect(
        "an error that the model can read and that names the rule; the server runs nothing",
        f"{'an error' if result.is_error else 'a result'}; the server {'RAN it' if ran else 'did not run it'}",
        holds=bool(result.is_error) and DENYING_RULE in text_of(result) and not ran,
    )
