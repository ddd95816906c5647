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


def _decide(gateway: Gateway, world: World, choice: Choice) -> str:
    desk = DeskClient(gateway.data)
    holds = until(desk.listing, "a call is held")
    sight = desk.show(str(holds[-1]["id"]))
    assert sight.statement is not None
    token = world.token("mcp-approvers", sub="an-approver")
    desk.decide_by_token(completed(sight.statement, choice, "seen"), token)
    return sight.id
