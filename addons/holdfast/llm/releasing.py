"""Replies of LLM APIs on their way back: judged, masked and recorded like those of MCP servers."""

from typing import Final

from holdfast import capture, judging, replies
from holdfast.call import Reply
from holdfast.errors import Cause, Refused
from holdfast.exchange import Answer, Head
from holdfast.llm import headers
from holdfast.llm.bodies import parse_reply, to_bytes
from holdfast.passage import Admission, Watch
from holdfast.replies import Vouched
from holdfast.stations import Stations

_OF_THE_CREDENTIAL: Final = (401, 403)  # the gateway's own, and the text may quote the end of it


async def release(stations: Stations, admission: Admission, head: Head, body: bytes, watch: Watch) -> Answer:
    """What may come back of a response that is no event stream: also an error of the API's, in its own words.

    Raises:
        Refused: SERVER_FAULT, MALFORMED or TOO_LARGE: it cannot be vouched for.
        MaskingError, LedgerError: a stage failed; nothing comes back.
    """
    if head.status in _OF_THE_CREDENTIAL:
        raise Refused(Cause.SERVER_FAULT, f"the server refused the gateway with status {head.status}")
    if not headers.is_json(head):
        raise Refused(Cause.SERVER_FAULT, f"the server answered {head.status} without JSON")
    asked = admission.admitted[0].message
    one = await vouch(stations, admission, parse_reply(body, head.status, asked.id), head.status)
    (receipt,) = await stations.ledger.append(one.draft)
    # From here on the Reply has a durable Record: it may come back.
    replies.settle(stations, admission, one, receipt.index)
    watch.show_reply(to_bytes(one.kept), {"status": str(head.status), "reply": str(receipt.index)})
    sent = headers.to_client(head, admission.force.masker.keep_text)
    forward = to_bytes(one.forward) if one.forward is not None else b""
    return Answer(head.status, (("content-type", "application/json"), *sent), forward)


async def vouch(stations: Stations, admission: Admission, reply: Reply, status: int) -> Vouched:
    """What may be released of ``reply``, once its Record is durable.

    Raises:
        Refused: OVER_BUDGET, or SERVER_FAULT for a second Reply.
        MaskingError: the masker cannot vouch for it.
    """
    answered = admission.admitted[0]
    if stations.open_calls.find(admission.scope, answered.message.direction, answered.message.id) is not answered:
        raise Refused(Cause.SERVER_FAULT, "a reply answers no open call")
    masked = await admission.force.masker.mask(reply, server=admission.server.id, shape="llm.reply")
    refused = masked.refusal()
    if refused is not None:
        raise refused
    over = replies.over_budget(stations, admission, answered, masked.forward)
    if over is not None:
        raise over
    out = judging.reply_outcome(stations, reply, answered)
    draft = capture.reply_draft(admission.base, answered, masked, admission.force.engine, out, status)
    return Vouched(draft, masked.forward, masked.keep, answers=answered, issued=masked.issued)
