from pathlib import Path

import pytest
from tests.policy.build import section
from tests.policy.shipped import RULES
from tests.witness.worlds import Log, private_key

from holdfast.errors import RulesError
from holdfast.policy.check import check_directory
from holdfast.policy.document import Source
from holdfast.policy.ruleset import load_witnesses
from holdfast.witness import cosignature, policy
from holdfast.witness.rules import WitnessRules, parse_witnesses

KEYS = {
    name: cosignature.CosignerKey(f"{name}.example.com/w", private_key(name).public_key().public_bytes_raw()).to_text()
    for name in ("a", "b", "c")
}


def entry(name: str, key: str | None = None, url: str = "https://w.example.com/prefix/") -> str:
    return f"  - {{name: '{name}', url: '{url}', vkey: '{KEYS[key or name]}'}}\n"


def parsed(text: str) -> WitnessRules:
    top = section(text, "witnesses.yaml")
    top.integer("version", 1)
    return parse_witnesses(top)


FULL = (
    "every: 30s\nquorum: 2\nrefuse_after: 15m\nwitnesses:\n"
    + entry("a")
    + entry("b")
    + entry("c")
    + "timestamps:\n  - {name: tsa, url: 'http://tsa.example.com/tsr', roots: tsa-roots.pem, every: 2h}\n"
)


def test_everything_that_can_be_said_is_read() -> None:
    rules = parsed(FULL)
    assert (rules.every_s, rules.quorum, rules.refuse_after_s) == (30, 2, 900)
    assert [rule.name for rule in rules.witnesses] == ["a", "b", "c"]
    assert rules.witnesses[0].url == "https://w.example.com/prefix"
    (stamp,) = rules.timestamps
    assert (stamp.name, stamp.roots, stamp.every_s) == ("tsa", "tsa-roots.pem", 7200)


def test_what_is_not_said_has_its_default() -> None:
    assert parsed("witnesses: []\n") == WitnessRules()
    rules = parsed("witnesses:\n" + entry("a") + entry("b"))
    assert (rules.every_s, rules.quorum, rules.refuse_after_s) == (60, 2, None)
    assert parsed("quorum: any\nwitnesses:\n" + entry("a") + entry("b")).quorum == 1


def test_the_shipped_file_names_nobody_so_that_a_fresh_gateway_needs_no_network() -> None:
    assert load_witnesses(RULES) == WitnessRules()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("surprise: 1\n", "surprise is not known"),
        ("witnesses:\n" + entry("a") + entry("a", "b"), "a stands twice"),
        ("witnesses:\n" + entry("a") + entry("b", "a"), "names the same key twice"),
        ("witnesses:\n" + entry("none", "a"), "is no short name"),
        ("witnesses:\n" + entry("quorum", "a"), "is no short name"),
        ("witnesses:\n" + entry("two words", "a"), "is no short name"),
        ("witnesses:\n" + entry("a", url="ftp://w.example.com"), "url is no http"),
        ("witnesses:\n" + entry("a", url="https://me:secret@w.example.com"), "url is no http"),
        ("witnesses:\n" + entry("a", url="https://w.example.com:port"), "url is no http"),
        ("witnesses:\n" + entry("a", url="https:///path"), "url is no http"),
        ("witnesses:\n" + entry("a", url="https://w.example.com/?x=1"), "has a query"),
        ("witnesses:\n" + entry("a").replace("+BO", "+BP").replace("+BA", "+BB")[:-20] + "x'}\n", "vkey is not usable"),
        (f"witnesses:\n  - {{name: a, url: 'https://w', vkey: '{Log().key.to_text()}'}}\n", "not of a witness"),
        ("witnesses:\n" + entry("a") + "quorum: 0\n", "quorum is not"),
        ("witnesses:\n" + entry("a") + "quorum: 2\n", "quorum is not"),
        ("witnesses:\n" + entry("a") + "quorum: true\n", "quorum is not"),
        ("witnesses:\n" + entry("a") + "quorum: most\n", "quorum is not"),
        ("quorum: any\n", "quorum is not"),
        ("every: 60\n", "is not a text"),
        ("every: 5s\n", "no duration from 10s to 31d"),
        ("every: 32d\n", "no duration"),
        ("every: 1 h\n", "no duration"),
        ("every: 01m\n", "no duration"),
        ("refuse_after: 15m\n", "has nobody to wait for"),
        ("refuse_after: 60s\nwitnesses:\n" + entry("a"), "not longer than every"),
        ("timestamps:\n  - {name: t, url: 'https://t', roots: ../r.pem}\n", "no file name that ends in .pem"),
        ("timestamps:\n  - {name: t, url: 'https://t', roots: roots.crt}\n", "no file name that ends in .pem"),
        ("timestamps:\n  - {name: t, url: 'https://t'}\n", "roots is missing"),
        ("witnesses:\n" + entry("a") + "timestamps:\n  - {name: a, url: 'https://t', roots: r.pem}\n", "stands twice"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(RulesError, match=words):
        parsed(text)


def test_the_rules_and_the_ledger_s_key_make_the_trust_policy_for_a_verifier() -> None:
    key = Log().key
    made = parsed(FULL).policy(key)
    assert policy.parse(made.to_text().encode()) == made
    assert made.is_met_by({"a", "c"})
    assert not made.is_met_by({"a"})
    assert WitnessRules().policy(key).to_text() == f"log {key.to_text()}\nquorum none\n"


def test_the_certificates_are_read_with_the_rules_and_must_be_some(tmp_path: Path) -> None:
    (tmp_path / "witnesses.yaml").write_text("version: 1\n" + FULL, "utf-8")
    with pytest.raises(RulesError, match=r"tsa-roots.pem:1: cannot be read"):
        load_witnesses(tmp_path)
    for data in (b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        (tmp_path / "tsa-roots.pem").write_bytes(data)
        with pytest.raises(RulesError, match=r"tsa-roots.pem:1: holds no certificate"):
            load_witnesses(tmp_path)
    reports = {report.file: report for report in check_directory(tmp_path)}
    assert "holds no certificate" in reports["witnesses.yaml"].failures[0]


def test_a_source_that_no_rule_names_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="holds no certificate"):
        WitnessRules().with_roots((Source("other.pem", b""),))
    assert WitnessRules().with_roots(()) == WitnessRules()
