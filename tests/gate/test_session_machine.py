"""Sessions under any order of opening, using and ending them, by two Callers and a server that reuses ids."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.gate.works import Works, token, tool

from holdfast.exchange import Answer, Peer, Request
from holdfast.jsontext import JsonObject
from holdfast.masking.masker import Masker
from holdfast.passage import Admission
from holdfast.policy.ruleset import Ruleset

_CALLERS = st.sampled_from(["ann", "ben"])
_SESSIONS = st.sampled_from(["s-1", "s-2"])
_HELLO: JsonObject = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}},
}


class Sessions(RuleBasedStateMachine):
    """Beside the gate runs a model: the owner of each open session."""

    ruleset: Ruleset
    masker: Masker

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="holdfast-"))
        self.loop = asyncio.Runner()
        self.works = Works(self.folder, self.ruleset, self.masker)
        self.owners: dict[str, str] = {}
        self.count = 0

    def teardown(self) -> None:
        self.works.ledger.close()
        self.loop.close()
        shutil.rmtree(self.folder)

    def ask(self, caller: str, session: str | None, message: JsonObject | None) -> Admission | Answer:
        who = token(self.works.clock, caller)
        headers = () if session is None else (("mcp-session-id", session),)
        if message is not None:
            request = self.works.post(message, *headers, who=who)
        else:
            fields = (("authorization", f"Bearer {who}"), *headers)
            request = Request("DELETE", "/mcp", fields, b"", Peer("192.0.2.1", 4711))
        return self.loop.run(self.works.gate.admit(request, self.works.screen))

    @rule(caller=_CALLERS, session=_SESSIONS)
    def initialise(self, caller: str, session: str) -> None:
        """The server gives out an id; it may be one that another Caller has."""
        admission = self.ask(caller, None, _HELLO)
        assert isinstance(admission, Admission)
        reply: JsonObject = {"jsonrpc": "2.0", "id": 0, "result": {"protocolVersion": "2025-11-25"}}
        answer = self.loop.run(self.works.release(admission, reply, ("mcp-session-id", session)))
        if self.owners.get(session, caller) == caller:
            assert dict(answer.headers)["mcp-session-id"] == session
            self.owners[session] = caller
        else:
            assert answer.status == 502
            assert session not in str(answer)

    @rule(caller=_CALLERS, session=_SESSIONS)
    def use(self, caller: str, session: str) -> None:
        self.count += 1
        found = self.ask(caller, session, tool("get_customer", self.count))
        assert isinstance(found, Admission) == (self.owners.get(session) == caller)
        assert isinstance(found, Admission) or found.status == (403 if session in self.owners else 404)

    @rule(caller=_CALLERS, session=_SESSIONS)
    def end(self, caller: str, session: str) -> None:
        found = self.ask(caller, session, None)
        assert isinstance(found, Admission) == (self.owners.get(session) == caller)
        if isinstance(found, Admission):
            del self.owners[session]

    @invariant()
    def as_many_are_open_as_the_model_has(self) -> None:
        assert len(self.works.stations.sessions) == len(self.owners)


def test_a_session_is_its_callers_alone_until_it_ends(shipped: Ruleset, masker: Masker) -> None:
    Sessions.ruleset, Sessions.masker = shipped, masker
    run_state_machine_as_test(
        Sessions,
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
