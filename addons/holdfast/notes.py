"""What a viewer is told beside a masked message: who, what was decided, which tool. No content."""

from holdfast.call import Call, Message
from holdfast.errors import Refused
from holdfast.identity.caller import Caller
from holdfast.masking.finding import Masked
from holdfast.stations import Trail


def of_call(caller: Caller, masked: list[Masked]) -> dict[str, str]:
    """The note beside messages on their way to the server: names of tools come from the masked view."""
    note = {"caller": caller.name, "decision": "judged"}
    calls = [one.keep for one in masked if isinstance(one.keep, Call)]
    if calls:
        note["method"] = calls[0].method
        note["tool"] = calls[0].name or ""
    note["findings"] = str(sum(len(one.findings) for one in masked))
    return note


def of_refusal(trail: Trail, refused: Refused, kept: Message | None) -> dict[str, str]:
    """The note beside a request that was refused."""
    note = {"decision": "refused", "cause": refused.cause.value, "rule": refused.rule or ""}
    note |= {"caller": trail.caller.name} if trail.caller else {}
    return note | ({"method": kept.method, "tool": kept.name or ""} if isinstance(kept, Call) else {})
