"""The rule file: safe as shipped, and every unsafe line is an error that names its place."""

import re
from pathlib import Path

import pytest
from tests.identity.issuing import rules_of

from holdfast.errors import RulesError
from holdfast.identity.rules import IdentityRules, Source, parse_identity
from holdfast.policy.document import parse_document, read_source

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "rules" / "identity.yaml"
ISSUER = "  - {id: corp, issuer: https://i.example, jwks_uri: https://i.example/k, audiences: [a]"


def issuer(more: str = "") -> str:
    return f"version: 1\nissuers:\n{ISSUER}{more}}}\n"


def uncommented(text: str) -> str:
    """The example in the shipped file with its comment signs taken off."""
    lines = [line for line in text.splitlines() if not re.match(r"(issuers|trusted_proxies): \[\]", line)]
    return "\n".join(re.sub(r"^# (?=issuers:|trusted_proxies:|resource:|  )", "", line) for line in lines)


def test_the_shipped_file_lets_nobody_pass_and_says_so() -> None:
    rules = parse_identity(parse_document(read_source(SHIPPED)))
    assert rules.issuers == ()
    assert rules.warnings()[0].startswith("rules/identity.yaml lists no issuer: every request is refused")


def test_the_example_in_the_shipped_file_parses_and_shows_the_defaults() -> None:
    text = uncommented(SHIPPED.read_text(encoding="utf-8")).replace("[edge-access]", "[edge]")
    edge = "  - {id: edge, issuer: https://e.example, discovery: true, audiences: [e], accept: assertion}\n"
    rules = rules_of(text.replace("issuers:\n", f"issuers:\n{edge}", 1))
    shown = next(found for found in rules.issuers if found.id == "corp")
    plain = rules_of(issuer()).issuers[0]
    for name in ("algorithms", "forms", "typ", "leeway_s", "token_age_s_max", "name_claims", "groups_claim"):
        assert getattr(shown, name) == getattr(plain, name), name
    for name in ("client_claims", "scopes", "required", "refresh_s", "max_stale_s"):
        assert getattr(shown, name) == getattr(plain, name), name
    assert rules.proxies[0].form == "cloudflare-access"
    assert rules.resource == "https://mcp.example.com/mcp"


def test_every_key_is_in_the_shipped_file_and_in_the_documentation() -> None:
    code = "".join(
        (ROOT / "addons/holdfast/identity" / name).read_text(encoding="utf-8") for name in ("rules.py", "proxies.py")
    )
    asked = r'(?:entry|section|section_)\.(?:text|text_or_none|texts|integer|flag|choice|sections|raw)\(\s*"(\w+)"'
    keys = set(re.findall(asked, code)) | {source.value for source in Source} | {"equals", "one_of", "contains"}
    keys |= {"required_scopes", "scopes_supported"}
    assert len(keys) > 25
    document = (ROOT / "docs/identity.md").read_text(encoding="utf-8")
    assert [key for key in sorted(keys) if f"`{key}`" not in document] == []
    in_file = SHIPPED.read_text(encoding="utf-8")
    only_documented = {"signer", "header", "pem_url", "one_of", "contains", "equals"}
    assert [key for key in sorted(keys - only_documented) if f"{key}:" not in in_file] == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none", "anybody can forge"),
        ("None", "anybody can forge"),
        ("HS256", "shared secret"),
        ("hs512", "shared secret"),
        ("RS1", "'RS1'"),
        ("ES256K", "'ES256K'"),
    ],
)
def test_unsafe_algorithms_are_errors_with_file_and_line(name: str, said: str) -> None:
    with pytest.raises(RulesError) as caught:
        rules_of(f"version: 1\nissuers:\n{ISSUER},\n     algorithms: [RS256, {name}]}}\n")
    assert str(caught.value).startswith("identity.yaml:4: issuers[0].algorithms ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "more",
    [
        ", algorithms: []",
        ", discovery: true",
        ", accept: []",
        ", accept: header",
        ", typ: JWT",
        ", leeway_s: 3000",
        ", leeway_s: -1",
        ", max_stale_s: 1",
        ", refresh_s: 99999",
        ", required_scopes: ['a b']",
        ", required_scopes: ['a\"']",
        ", required_claims: [{claim: a, equals: b, one_of: [c]}]",
        ", required_claims: [{claim: a, equals: [b]}]",
        ", required_claims: [{claim: a, equals: 1.5}]",
        ", required_claims: [{claim: a, one_of: []}]",
        ", required_claims: [{claim: []}]",
        ", required_claims: [{claim: a, eqauls: b}]",
        ", colour: red",
    ],
)
def test_issuer_mistakes_are_errors(more: str) -> None:
    rules_of(issuer())
    with pytest.raises(RulesError, match=r"^identity\.yaml:3: issuers\[0\]"):
        rules_of(issuer(more))


@pytest.mark.parametrize(
    "entry",
    [
        "{id: Corp, issuer: https://i.example, discovery: true, audiences: [a]}",
        "{id: corp, issuer: '', discovery: true, audiences: [a]}",
        "{id: corp, issuer: 'https://i|j', jwks_file: k, audiences: [a]}",
        "{id: corp, issuer: https://i.example, discovery: true, audiences: []}",
        "{id: corp, issuer: https://i.example, discovery: true, audiences: ['']}",
        "{id: corp, issuer: https://i.example, discovery: true}",
        "{id: corp, issuer: https://i.example, discovery: false, audiences: [a]}",
        "{id: corp, issuer: https://i.example, audiences: [a]}",
        "{id: corp, issuer: http://i.example, discovery: true, audiences: [a]}",
        "{id: corp, issuer: i.example, discovery: true, audiences: [a]}",
        "{id: corp, issuer: i, jwks_uri: http://i.example/k, audiences: [a]}",
        "{id: corp, issuer: i, jwks_uri: file:///etc/passwd, audiences: [a]}",
        "{id: corp, issuer: i, jwks_uri: 'https://u:p@i.example/k', audiences: [a]}",
        "{id: corp, issuer: i, jwks_uri: 'https://i.example/k#f', audiences: [a]}",
        "{id: corp, issuer: i, jwks_uri: 'https://i.example:x/k', audiences: [a]}",
        "{id: corp, issuer: i, jwks_uri: 'http://127.0.0.1.evil.example/k', audiences: [a]}",
        "{id: corp, issuer: i, jwks_file: '', audiences: [a]}",
        "{id: corp, issuer: i, pem_url: https://i.example/k, audiences: [a]}",
    ],
)
def test_an_issuer_without_a_safe_source_of_keys_or_an_audience_is_an_error(entry: str) -> None:
    with pytest.raises(RulesError, match=r"^identity\.yaml:3: "):
        rules_of(f"version: 1\nissuers:\n  - {entry}\n")


def test_plain_http_is_for_this_machine_only() -> None:
    for host in ("127.0.0.1:1", "localhost:1", "[::1]:1", "127.9.9.9"):
        assert rules_of(issuer().replace("https://i.example/k", f"'http://{host}/k'")).issuers


def test_two_issuers_may_share_neither_id_nor_form() -> None:
    two = issuer() + ISSUER.replace("corp", "more") + "}\n"
    with pytest.raises(RulesError, match="is also the issuer of corp"):
        rules_of(two)
    assert len(rules_of(two.replace("[a]}\n  - {id: more", "[a]}\n  - {accept: assertion, id: more")).issuers) == 2
    with pytest.raises(RulesError, match="is taken by another issuer"):
        rules_of(issuer() + ISSUER.replace("i.example", "j.example") + "}\n")


@pytest.mark.parametrize(
    "proxy",
    [
        "{id: p, form: pomerium, peers: [10.0.0.1/8], issuers: [corp]}",
        "{id: p, form: pomerium, peers: [0.0.0.0/0], issuers: [corp]}",
        "{id: p, form: pomerium, peers: ['::/0'], issuers: [corp]}",
        "{id: p, form: pomerium, peers: [proxy.example], issuers: [corp]}",
        "{id: p, form: pomerium, peers: [], issuers: [corp]}",
        "{id: p, form: pomerium, issuers: [corp]}",
        "{id: p, form: pomerium, peers: [10.0.0.1], issuers: []}",
        "{id: p, form: pomerium, peers: [10.0.0.1], issuers: [other]}",
        "{id: p, form: squid, peers: [10.0.0.1], issuers: [corp]}",
        "{id: P 1, form: pomerium, peers: [10.0.0.1], issuers: [corp]}",
        "{id: p, form: jwt, peers: [10.0.0.1], issuers: [corp]}",
        "{id: p, form: jwt, header: Authorization, peers: [10.0.0.1], issuers: [corp]}",
        "{id: p, form: jwt, header: 'X A', peers: [10.0.0.1], issuers: [corp]}",
        "{id: p, form: aws-alb, peers: [10.0.0.1], issuers: [corp]}",
        "{id: p, form: pomerium, signer: arn, peers: [10.0.0.1], issuers: [corp]}",
        "{id: p, form: pomerium, login: ldap, peers: [10.0.0.1], issuers: [corp]}",
    ],
)
def test_proxy_mistakes_are_errors(proxy: str) -> None:
    with pytest.raises(RulesError, match=r"^identity\.yaml:5: trusted_proxies\[0\]"):
        rules_of(f"{issuer(', accept: assertion')}trusted_proxies:\n  - {proxy}\n")


def test_a_proxy_can_name_only_issuers_that_are_for_assertions() -> None:
    with pytest.raises(RulesError, match="accept: assertion"):
        rules_of(f"{issuer()}trusted_proxies:\n  - {{id: p, form: pomerium, peers: [10.0.0.1], issuers: [corp]}}\n")


def test_two_proxies_may_not_share_an_id() -> None:
    proxy = "  - {id: p, form: pomerium, peers: [10.0.0.1], issuers: [corp]}\n"
    with pytest.raises(RulesError, match="is taken by another proxy"):
        rules_of(f"{issuer(', accept: assertion')}trusted_proxies:\n{proxy}{proxy}")


@pytest.mark.parametrize(
    "line", ["version: 2", "resource: http://mcp.example", "strip_headers: ['a b']", "scopes_supported: ['a b']"]
)
def test_other_mistakes_are_errors(line: str) -> None:
    text = line if line.startswith("version") else f"version: 1\n{line}"
    with pytest.raises(RulesError, match=r"^identity\.yaml:\d: "):
        rules_of(text)


def test_an_issuer_for_assertions_that_no_proxy_names_is_warned_about() -> None:
    rules: IdentityRules = rules_of(issuer(", accept: assertion"))
    assert "corp" in rules.warnings()[0]
    assert rules_of(issuer()).warnings() == ()
