"""The way of a request to an LLM API through the gate: the stages of a Call to an MCP server, in the same order.

::

    parse -> judge -> mask -> hold -> record      what differs is in bodies.py, headers.py and refusing.py
"""

from holdfast import judging, restoring, routing
from holdfast.errors import Cause, Refused
from holdfast.identity.caller import Caller
from holdfast.llm import serving
from holdfast.llm.apis import Api
from holdfast.llm.bodies import parse_request, to_bytes
from holdfast.passage import Admission, Admitted, Kind, Watch
from holdfast.screen import Screened
from holdfast.stations import Stations, Trail


async def admit(
    stations: Stations, trail: Trail, screened: Screened, caller: Caller, api: Api, watch: Watch
) -> Admission:
    """What may travel to the API.

    Raises:
        Refused: by any of the stages.
        MaskingError, LedgerError: a stage failed; nothing travels.
    """
    if screened.kind is not Kind.POST or screened.session is not None:
        raise Refused(Cause.UNSUPPORTED, "an LLM API is asked by POST, without a session")
    call = parse_request(trail.request.body, api)
    routing.check_caller(trail, caller)
    trail.base["mcp"] = {"transport": "post"}
    one = await restoring.coming(stations, trail, caller, call)
    masked = one.into(await trail.force.masker.mask(call, server=trail.server.id, shape="llm.request"))
    trail.kept = masked.keep
    refused = masked.refusal()
    if refused is not None:
        raise refused
    rule = judging.judge(stations, trail, caller, one.judged, trail.scope)
    # It may refuse a header: before a Record says that the call goes out, and before an approval is spent on it.
    outgoing = serving.outgoing(trail, to_bytes(masked.forward))
    note = {"caller": caller.name, "decision": "judged", "method": api.value, "findings": str(len(masked.findings))}
    note["tool"] = getattr(masked.keep, "name", None) or ""
    watch.show_call(to_bytes(masked.keep), note)
    draft = await judging.draft(stations, trail, caller, one.judged, masked, rule, watch)
    (receipt,) = await stations.ledger.append(draft)
    # From here on the Call has a durable Record: it may travel.
    now_ns = stations.clock.monotonic_ns()
    admitted = Admitted(call, masked.keep, str(draft.body["call"]), receipt.index, now_ns)
    note |= {"decision": "allow", "record": str(receipt.index)}
    admission = trail.admission(Kind.POST, caller, outgoing, (admitted,), note)
    stations.open_calls.add(admission.scope, admitted)
    stations.counters.calls += 1
    return admission
