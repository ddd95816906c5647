"""What mitmweb shows: the masked message as a person reads it, and a list that does not grow without end."""

import logging

from mitmproxy.contentviews import Metadata
from mitmproxy.test import tflow

from holdfast import jsontext
from holdfast.proxy.install import without_bytes
from holdfast.proxy.seals import Passing
from holdfast.proxy.view import McpView


def _passing() -> Passing:
    passing = Passing(tflow.tflow(resp=True))
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get", "arguments": {"to": ["a"]}}}
    note = {"decision": "allow", "method": "tools/call", "tool": "get", "caller": "ann", "findings": "2", "record": "7"}
    passing.show_call(jsontext.wire(call), note)  # type: ignore[arg-type] # any JSON
    return passing


def test_a_message_reads_like_a_note() -> None:
    passing = _passing()
    metadata = Metadata(flow=passing.flow)
    content = passing.flow.request.data.content or b""
    text = McpView().prettify(content, metadata)
    assert text.startswith("decision: allow\nmethod: tools/call\ntool: get\ncaller: ann\nfindings: 2\nrecord: 7\n")
    assert "  arguments:\n" in text
    assert McpView().render_priority(content, metadata) > 2


def test_other_flows_keep_their_views() -> None:
    assert McpView().render_priority(b"", Metadata(flow=tflow.tflow())) < 0


def test_a_flow_is_marked_and_commented_by_its_decision() -> None:
    flow = _passing().flow
    assert flow.marked == ":white_check_mark:"
    assert flow.comment == "allow get tools/call ann"


def test_raw_bytes_of_a_peer_are_cut_out_of_log_lines() -> None:
    line = "Client closed connection before completing request headers: b'POST /4111111111111111'"
    record = logging.LogRecord("mitmproxy.proxy.server", logging.INFO, "f", 1, line, (), None)
    assert without_bytes(record)
    assert "4111" not in record.getMessage()
