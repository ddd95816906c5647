"""`servers.yaml`: what is accepted, and every mistake by file, line and key."""

import pytest

from holdfast.errors import RulesError
from holdfast.policy.document import Source, parse_document
from holdfast.policy.example import make_caller
from holdfast.policy.servers import Kind, Server, Servers, parse_servers

CRM = "  - id: crm\n    upstream: https://crm.internal:8443\n"
DOCS = "  - id: docs\n    upstream: http://127.0.0.1:3001\n    paths: /docs/mcp\n"


def parse(entries: str) -> tuple[Server, ...]:
    text = f"version: 1\nservers:\n{entries}"
    return parse_servers(parse_document(Source("servers.yaml", text.encode())))


def problem_of(entries: str) -> str:
    with pytest.raises(RulesError) as caught:
        parse(entries)
    return str(caught.value)


def test_a_path_leads_to_one_server_and_what_it_is_asked_there() -> None:
    crm, docs = parse(f"{CRM}    paths: /crm/mcp\n    upstream_path: /mcp\n{DOCS}")
    servers = Servers((crm, docs))
    assert servers.at("/crm/mcp") is crm
    assert crm.paths == {"/crm/mcp": "/mcp"}
    assert servers.at("/docs/mcp") is docs
    assert docs.paths == {"/docs/mcp": "/docs/mcp"}
    assert servers.at("/docs/mcp/") is None
    assert servers.at("/mcp") is None
    assert servers.alone() is None


def test_a_path_may_have_its_own_path_at_the_server() -> None:
    paths = "    paths:\n      - {path: /a, upstream_path: /mcp}\n      - {path: /b}\n"
    (crm,) = parse(f"{CRM}    upstream_path: /rest\n{paths}")
    assert crm.paths == {"/a": "/mcp", "/b": "/rest"}


def test_what_is_left_out_has_its_default() -> None:
    (docs,) = parse(DOCS)
    assert (docs.kind, docs.credential_file, docs.credential_header) == (Kind.MCP, None, "authorization")
    assert docs.callers.why_not(make_caller()) is None
    assert str(docs.upstream) == "http://127.0.0.1:3001"


def test_callers_are_those_of_access_rules() -> None:
    (docs,) = parse(DOCS + "    callers: {groups: [desk]}\n")
    assert docs.callers.why_not(make_caller(("desk",))) is None
    assert docs.callers.why_not(make_caller(("Desk",))) is not None


@pytest.mark.parametrize(
    ("upstream", "text"),
    [
        ("https://crm.internal", "https://crm.internal"),
        ("https://crm.internal:443/", "https://crm.internal"),
        ("http://crm.internal:443", "http://crm.internal:443"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_an_upstream_is_scheme_host_and_port(upstream: str, text: str) -> None:
    (server,) = parse(f"  - id: a\n    upstream: '{upstream}'\n    paths: /mcp\n")
    assert str(server.upstream) == text


@pytest.mark.parametrize(
    "upstream",
    [
        "crm:3000",
        "ftp://crm",
        "http://",
        "http://a b",
        "http://u:p@crm",
        "http://crm/mcp",
        "http://crm?x",
        "http://crm:0",
        "http://crm:99999",
        "http://crm:",
        "http://[::1",
        "http://[fe80::1%25eth0]",
        "HTTP:crm",
        "http://-crm",
        "http://crm#",
    ],
)
def test_an_upstream_that_says_more_or_less_is_an_error(upstream: str) -> None:
    problem = problem_of(f"  - id: a\n    upstream: '{upstream}'\n    paths: /mcp\n")
    assert problem.startswith("servers.yaml:4: servers[0].upstream ")


@pytest.mark.parametrize(
    "path", ["mcp", "/mcp?x=1", "//mcp", "/a/../mcp", "/..", "/./mcp", "/m%63p", "/.well-known/x", "/" + "a" * 300, ""]
)
def test_a_path_that_is_not_plain_is_an_error(path: str) -> None:
    assert problem_of(f"{CRM}    paths: '{path}'\n").startswith("servers.yaml:5: servers[0].paths ")


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (DOCS + DOCS, "servers[1].id docs is used twice"),
        (f"{DOCS}{CRM}    paths: [/crm, /docs/mcp]\n", "servers[1].paths claims /docs/mcp, which is docs's"),
        (f"{CRM}    paths: [/crm, /crm]\n", "servers[0].paths claims /crm, which is crm's"),
        (f"{CRM}    paths: []\n", "servers[0].paths has 0 entries"),
        (CRM, "servers[0].paths is missing"),
        (DOCS + "    kind: rest\n", "servers[0].kind is 'rest'"),
        (DOCS + "    callers: {}\n", "servers[0].callers says nothing"),
        (DOCS + "    caller: {sub: ann}\n", "servers[0].caller is not known"),
        (DOCS + "    credential_header: x-api-key\n", "servers[0].credential_header has no credential"),
        (DOCS + "    credential_file: a\n    credential_header: Host\n", "is no header for a credential"),
        (DOCS + "    credential_file: a\n    credential_header: mcp-session-id\n", "is no header for a credential"),
        (DOCS + "    credential_file: a\n    credential_header: 'x y'\n", "is no header for a credential"),
        (DOCS + "    caller_header: Host\n", "servers[0].caller_header is no header of its own"),
        (DOCS + "    caller_header: authorization\n", "servers[0].caller_header is no header of its own"),
        (DOCS + "    credential_file: ''\n", "servers[0].credential_file names no file"),
        (DOCS + "    upstream_path: mcp\n", "servers[0].upstream_path has 'mcp', which is no plain path"),
        (f"{CRM}    paths:\n      - {{path: /a, to: /b}}\n", "servers[0].paths[0].to is not known"),
        (f"{CRM}    paths:\n      - {{path: /a}}\n      - /b\n", "servers[0].paths[1] is no mapping"),
    ],
)
def test_a_mistake_is_named_by_its_key(entries: str, expected: str) -> None:
    assert expected in problem_of(entries)


def test_a_file_without_its_list_is_an_error() -> None:
    with pytest.raises(RulesError, match="servers is missing"):
        parse_servers(parse_document(Source("servers.yaml", b"version: 1\n")))
