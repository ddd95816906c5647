"""Steps of the demo: who may not come in at all."""

from typing import Any, Final

from scripts.demo_world.agent import post, tool_call
from scripts.demo_world.rulebook import USERS
from scripts.demo_world.stage import AGENT, Stage

READ: Final[dict[str, Any]] = tool_call("get_customer", {"customer_id": "C-1001"})


def show_identity(stage: Stage) -> None:
    """Three requests that fail at the door, and the proof that the server never saw them."""
    provider = stage.provider
    elsewhere = provider.token(AGENT, audience="https://payroll.example/mcp", groups=[USERS])
    yesterday = provider.token(AGENT, audience=stage.audience, groups=[USERS], lifetime_s=-3600)
    _turn_away(stage, "A call without a token", None)
    _turn_away(stage, "A call with a genuine token that was issued for another service", elsewhere)
    _turn_away(stage, "A call with a token that expired an hour ago", yesterday)
    executed = stage.executed()
    stage.narrator.expect("the server has run nothing", f"it ran {len(executed)} calls", holds=not executed)


def _turn_away(stage: Stage, title: str, token: str | None) -> None:
    stage.narrator.step(title)
    answer = post(stage.url, READ, token)
    challenge = answer.headers.get("WWW-Authenticate", "no WWW-Authenticate")
    stage.narrator.expect(
        "HTTP 401 that says where to log in",
        f"HTTP {answer.status_code}, {challenge}",
        holds=answer.status_code == 401 and "resource_metadata=" in challenge,  # noqa: PLR2004 -- the status of RFC 9110
    )
