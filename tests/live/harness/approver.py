"""A person who decides about whatever waits, with a token of the group that may."""

from tests.live.harness.gateway import Gateway
from tests.live.harness.world import World, until

from holdfast.approval.client import DeskClient, completed
from holdfast.approval.statement import Choice


def approve(gateway: Gateway, world: World) -> str:
    """Approve the newest Hold that waits, once one does; its id."""
    return _decide(gateway, world, "approve")


def deny(gateway: Gateway, world: World) -> str:
    """Deny the newest Hold that waits, once one does; its id."""
    return _decide(gateway, world, "deny")


def decide(gateway: Gateway, world: World, hold: str, choice: Choice) -> str:
    """Decide about the Hold that ``hold`` names; its id."""
    desk = DeskClient(gateway.data)
    sight = desk.show(hold)
    assert sight.statement is not None
    token = world.token("mcp-approvers", sub="an-approver")
    desk.decide_by_token(completed(sight.statement, choice, "seen"), token)
    return sight.id


def _decide(gateway: Gateway, world: World, choice: Choice) -> str:
    holds = until(DeskClient(gateway.data).listing, "a call is held")
    return decide(gateway, world, str(holds[-1]["id"]), choice)
