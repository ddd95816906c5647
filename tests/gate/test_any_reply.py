"""Whatever a server answers, as JSON or as events in any chunking: what comes back was judged, and answers once."""

import json
from typing import Final

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.fuzz.checks import cut
from tests.fuzz.seeds import HOSTILE, MESSAGES, STREAMS
from tests.gate.works import CARD, MAIL, Works, result, tool

from holdfast.call import Call, Direction, Message, Reply, parse_body
from holdfast.errors import Refused
from holdfast.exchange import Head, Headers
from holdfast.passage import Admission, OpenCalls
from holdfast.policy.access import judge_access
from holdfast.policy.decision import Allow
from holdfast.sse import Splitter, format_event, parse_event
from holdfast.streams import EventStream

EXAMPLES: Final = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_ANSWER: Final = json.dumps(result(f"card {CARD}, mail {MAIL}")).encode()
_PROGRESS: Final = (
    b'{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1,"message":"'
    + CARD.encode()
    + b'"}}'
)
_ASKS: Final = b'{"jsonrpc":"2.0","id":5,"method":"sampling/createMessage","params":{"messages":[]}}'
_PING: Final = b'{"jsonrpc":"2.0","id":6,"method":"ping"}'
_BODIES: Final = st.sampled_from(
    (
        *(_ANSWER, _PROGRESS, _ASKS, _PING),
        *(b"[" + _ANSWER + b"," + _PROGRESS + b"]", b"[" + _ANSWER + b"," + _ANSWER + b"]"),
        *[json.dumps(message).encode() for message in MESSAGES],
        *[data for data in HOSTILE if len(data) < 2000],
    )
)
_LATIN: Final = st.text(st.characters(max_codepoint=255), max_size=20)
_HEADERS: Final = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "mcp-session-id", "cache-control", "retry-after", "set-cookie", "location"])
        | _LATIN,
        st.sampled_from(["application/json", "text/event-stream", "text/html", CARD, "s-1", "5", "a\r\nb: c"]) | _LATIN,
    ),
    max_size=3,
)


def _mutated(draw: st.DrawFn, data: bytes) -> bytes:
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(max_size=4) | _BODIES) + data[at + draw(st.integers(0, 6)) :]
    return data


@st.composite
def _bodies(draw: st.DrawFn) -> bytes:
    return _mutated(draw, draw(_BODIES))


@st.composite
def _streams(draw: st.DrawFn) -> bytes:
    """Events made of bodies, with fields, comments and line ends of every kind; or the seeds of the fuzzer."""
    if draw(st.integers(0, 4)) == 0:
        return _mutated(draw, draw(st.sampled_from(STREAMS)))
    data = b""
    for body in draw(st.lists(_BODIES, min_size=1, max_size=5)):
        lead = draw(
            st.sampled_from(
                [b"", b"id: 7\n", b"event: message\n", b": " + CARD.encode() + b"\n", b"retry: 5\n", b"x: y\n"]
            )
        )
        data += lead + b"data: " + body + b"\n\n"
    data = data.replace(b"\n", draw(st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])))
    return _mutated(draw, data)


def _check_message(works: Works, admission: Admission, message: Message) -> None:
    """A Reply answers the one call; a Call of the server is one that a rule allows."""
    if isinstance(message, Reply):
        assert message.id in (1, None)
        return
    judged = judge_access(works.force.rules.access, message, admission.caller, "crm")
    assert isinstance(judged, Allow)


async def _admitted(works: Works) -> Admission:
    works.with_(open_calls=OpenCalls())
    return await works.admitted(tool("get_customer"))


@EXAMPLES
@given(body=_bodies(), status=st.sampled_from([200, 202, 204, 400, 404, 500, 401, 999]), headers=_HEADERS)
async def test_any_response_is_released_message_by_message_or_answered_by_the_gateway(
    works: Works, body: bytes, status: int, headers: Headers
) -> None:
    admission = await _admitted(works)
    head = Head(status, (*headers, ("content-type", "application/json")))
    answer = await works.gate.release(admission, head, body, works.screen)
    event(f"{status} becomes {answer.status}")
    assert answer.status != 503, "a stage has failed"
    assert not any(char in value for _, value in answer.headers for char in "\r\n\0")
    assert {name for name, _ in answer.headers} <= {"content-type", "cache-control", "retry-after", "mcp-session-id"}
    assert CARD.encode() not in answer.body + str(answer.headers).encode()
    if answer.body:
        for message in parse_body(answer.body, Direction.TO_CLIENT).messages:
            _check_message(works, admission, message)


@EXAMPLES
@given(data=_streams(), sizes=st.lists(st.integers(1, 40), max_size=12))
async def test_any_stream_is_released_event_by_event_or_cut(works: Works, data: bytes, sizes: list[int]) -> None:
    admission = await _admitted(works)
    stream = EventStream(works.gate, admission, works.screen)
    released = await _pass(stream, list(cut(data, sizes)))
    event("cut" if released is None else f"{min(len(released), 3)} batches")
    heard = _check_released(works, admission, b"".join(released or []))
    answers = [message for message in heard if isinstance(message, Reply)]
    assert len(answers) <= 1, "a call is answered once"
    assert bool(answers) == (works.stations.open_calls.find(admission.scope, Direction.TO_SERVER, 1) is None)


async def _pass(stream: EventStream, pieces: list[bytes]) -> list[bytes] | None:
    """What the proxy would send; None where it would cut the stream at once."""
    splitter = Splitter()
    out: list[bytes] = []
    for blocks in (*map(splitter.feed, pieces), splitter.finish()):
        if not blocks:
            continue
        released = await stream.release(blocks)
        if released is None:
            return out or None
        out.append(released)
    return out


def _check_released(works: Works, admission: Admission, sent: bytes) -> list[Message]:
    assert CARD.encode() not in sent
    splitter = Splitter()
    blocks = splitter.feed(sent)
    assert b"".join(blocks) == sent, "only whole events are sent"
    heard: list[Message] = []
    for block in blocks:
        found = parse_event(block)
        assert format_event(found) == block, "nothing but the fields of the event is sent"
        assert found.name in (None, "message")
        if found.data:
            heard += parse_body(found.data.encode(), Direction.TO_CLIENT).messages
    for message in heard:
        _check_message(works, admission, message)
    return heard


def test_the_streams_of_these_tests_hold_answers_and_denied_calls() -> None:
    for data in (_ANSWER, _PROGRESS, _ASKS, _PING):
        try:
            (message,) = parse_body(data, Direction.TO_CLIENT).messages
        except Refused as refused:
            raise AssertionError(refused.reason) from None
        assert isinstance(message, Call | Reply)
