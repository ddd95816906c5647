"""A person who approves whatever waits, with a token of the group that may."""

from tests.live.harness.gateway import Gateway
from tests.live.harness.world import World, until

from holdfast.approval.client import DeskClient, completed


def approve(gateway: Gateway, world: World) -> str:
    """Approve the one Hold that waits, once it does; its id."""
    desk = DeskClient(gateway.data)
    holds = until(desk.listing, "a call is held")
    sight = desk.show(str(holds[-1]["id"]))
    assert sight.statement is not None
    token = world.token("mcp-approvers", sub="an-approver")
    desk.decide_by_token(completed(sight.statement, "approve", "seen"), token)
    return sight.id
