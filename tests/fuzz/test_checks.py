"""The promises about any bytes, tried with hypothesis on every run and with the inputs that the fuzzers begin from."""

import json
import shutil
import subprocess
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fuzz.checks import CHECKS, check_body, check_chunking, check_json, read_by_lines, typed
from tests.fuzz.seeds import HOSTILE, MESSAGES, dictionary, seeds

from holdfast import jsontext
from holdfast.call import Direction, parse_body
from holdfast.errors import Refused
from holdfast.sse import Event

ANY: Final = settings(max_examples=300, deadline=None)
_FRAGMENTS: Final = st.sampled_from(
    (
        *(b'{"jsonrpc":"2.0",', b'"id":1', b'"id":null', b'"method":"a"', b'"Method":"b"'),
        *(b'"params":', b'"result":', b",", b"{", b"}", b"[", b"]", b'"error":{}', b"NaN"),
        *(b"-Infinity", b"1e999", b"-0", b"9" * 320, b'"\\ud800"', b"\xef\xbb\xbf", b"\0", b"\xff"),
        *(b'"a":1,"a":2', b'"\\u0061":1', "\u2028".encode(), b" ", b"true", b"0.1", b"1E5"),
    )
)
_LINES: Final = st.sampled_from(
    (
        *(b"data: ", b"data", b"data:x", b"event: message", b"id: 1", b"id: \0", b"retry: 5"),
        *(b"retry: -1", b": c", b"\xef\xbb\xbf", b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r"),
        *(b"\r\n\r\n", b"\n\r", b"{}", b"\xff", "\u0085".encode(), b"id: " + b"i" * 1030),
    )
)
_NUMBERS: Final = st.integers(-(10**307), 10**307) | st.floats(allow_nan=False, allow_infinity=False)
_VALUES: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none() | st.booleans() | _NUMBERS | st.text(st.characters(exclude_categories=["Cs"]), max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab_\u017f\u0130é", max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("target", CHECKS)
def test_the_promises_hold_for_what_the_fuzzers_begin_from(target: str) -> None:
    for data in (*seeds(target), *HOSTILE):
        CHECKS[target](data)


@ANY
@given(data=st.lists(_FRAGMENTS | st.binary(max_size=5), max_size=14).map(b"".join))
def test_any_bytes_are_messages_and_json_or_refused(data: bytes) -> None:
    check_body(data)
    check_json(data)


@ANY
@given(
    seed=st.sampled_from(seeds("body")),
    at=st.integers(0, 400),
    put=_FRAGMENTS | st.binary(max_size=3),
    gone=st.integers(0, 9),
)
def test_a_message_with_some_bytes_changed_is_a_message_or_refused(seed: bytes, at: int, put: bytes, gone: int) -> None:
    start = at % (len(seed) + 1)
    check_body(seed[:start] + put + seed[start + gone :])


@ANY
@given(
    data=st.lists(_LINES | st.binary(max_size=4), max_size=16).map(b"".join),
    sizes=st.lists(st.integers(0, 9), max_size=16),
)
def test_any_stream_is_the_same_events_in_any_chunking(data: bytes, sizes: list[int]) -> None:
    check_chunking(data, sizes)


def test_the_standards_reader_is_no_copy_of_ours() -> None:
    told = "data: a\r\ndata:b\rid: 1\n\n: c\nretry: 7\n\ndata: lost\n"
    assert list(read_by_lines(told)) == [Event("a\nb", None, "1"), Event(retry_ms=7)]


def test_the_dictionary_is_one_that_libfuzzer_reads() -> None:
    for line in dictionary().splitlines():
        assert line[0] == line[-1] == '"'
        assert bytes.fromhex(line[1:-1].replace("\\x", ""))


# -- other readers ----------------------------------------------------------------------------------------------------


def _travels(data: bytes) -> bytes | None:
    try:
        return parse_body(data, Direction.TO_SERVER).to_bytes()
    except Refused:
        return None


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no node here")
    return found


def _read_by_node(node: str, texts: list[bytes]) -> list[Any]:
    """What JavaScript reads in each of ``texts``; numbers come back as JavaScript writes them."""
    program = (
        "const lines = require('fs').readFileSync(0, 'utf8').split('\\n').slice(0, -1);"
        "for (const line of lines) console.log(JSON.stringify(JSON.parse(line)))"
    )
    done = subprocess.run(
        [node, "-e", program], input=b"".join(text + b"\n" for text in texts), capture_output=True, check=True
    )
    return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def _as_javascript_has_it(value: Any) -> Any:
    """Every number a double, and 1.0 written as 1."""
    if isinstance(value, dict):
        return {key: _as_javascript_has_it(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_javascript_has_it(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return float(value)


@settings(max_examples=20, deadline=None)
@given(params=st.lists(st.dictionaries(st.text(max_size=4), _VALUES, max_size=4), min_size=20, max_size=40))
def test_javascript_reads_what_was_judged(node: str, params: list[dict[str, Any]]) -> None:
    sent = [_travels(jsontext.wire({"jsonrpc": "2.0", "id": 1, "method": "a", "params": one})) for one in params]
    texts = [text for text in sent if text is not None]
    judged = [_as_javascript_has_it(jsontext.parse(text)) for text in texts]
    assert typed(_as_javascript_has_it(_read_by_node(node, texts))) == typed(judged)


def test_javascript_reads_the_seeds_as_judged(node: str) -> None:
    texts = [text for text in map(_travels, seeds("body")) if text is not None]
    assert len(texts) >= len(MESSAGES)
    judged = [_as_javascript_has_it(jsontext.parse(text)) for text in texts]
    assert typed(_as_javascript_has_it(_read_by_node(node, texts))) == typed(judged)
