"""LLM servers in `rules/servers.yaml`."""

import pytest

from holdfast.errors import RulesError
from holdfast.llm.apis import Api
from holdfast.llm.serving import api_of
from holdfast.policy.document import Source, parse_document
from holdfast.policy.servers import Server, parse_servers


def servers(entry: str) -> tuple[Server, ...]:
    text = f"version: 1\nservers:\n  - id: model\n    upstream: https://llm.example.com\n{entry}"
    return parse_servers(parse_document(Source("servers.yaml", text.encode())))


def test_the_end_of_the_path_at_the_server_says_which_api_is_asked() -> None:
    paths = (
        "[{path: /a, upstream_path: /v1/chat/completions}, {path: /b/v1/messages}, {path: /v1/messages/count_tokens}]"
    )
    (server,) = servers(f"    kind: llm\n    paths: {paths}\n    hold_back_chars: 100\n")
    asked = [api_of(server, path) for path in server.paths]
    assert asked == [Api.CHAT, Api.MESSAGES, Api.TOKENS]
    assert server.hold_back_chars == 100


def test_an_mcp_server_at_such_a_path_is_no_api() -> None:
    (server,) = servers("    paths: /v1/messages\n")
    assert api_of(server, "/v1/messages") is None
    assert api_of(None, "/v1/messages") is None


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("    kind: llm\n    paths: /v1/embeddings\n", "no API that can be judged"),
        ("    kind: llm\n    paths: {path: /a, upstream_path: /}\n", "paths"),
        ("    paths: /mcp\n    hold_back_chars: 100\n", "is about LLM APIs"),
        ("    kind: llm\n    paths: /v1/messages\n    hold_back_chars: 10\n", "hold_back_chars"),
    ],
)
def test_a_wrong_entry_names_what_is_wrong(entry: str, problem: str) -> None:
    with pytest.raises(RulesError, match=problem):
        servers(entry)
