import hashlib
import shutil
from pathlib import Path

import pytest
from tests.policy.shipped import RULES
from tests.witness.authority import Authority

from holdfast import jsontext
from holdfast.errors import RulesError
from holdfast.policy.ruleset import FILE_NAMES, OPTIONAL_NAMES, load_ruleset

NAMED = (
    "masking/secrets.yaml",
    "masking/people.yaml",
    "masking/languages.yaml",
    "profiles/all.yaml",
)  # files that masking.yaml names
SHIPPED = (*(name for name in (*FILE_NAMES, *OPTIONAL_NAMES) if (RULES / name).exists()), *NAMED)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def test_the_shipped_rules_load_and_are_named_by_the_digest_of_their_files() -> None:
    ruleset = load_ruleset(RULES)
    digests = {name: hashlib.sha256((RULES / name).read_bytes()).hexdigest() for name in SHIPPED}
    assert tuple(source.name for source in ruleset.sources) == SHIPPED
    canonical = jsontext.canonical(dict(digests.items()))
    assert ruleset.digest_hex == hashlib.sha256(canonical).hexdigest()


def test_any_byte_of_any_file_changes_the_digest(copied: Path) -> None:
    digests = {load_ruleset(copied).digest_hex}
    for name in SHIPPED:
        with (copied / name).open("ab") as file:
            file.write(b"#\n")
        digests.add(load_ruleset(copied).digest_hex)
    assert len(digests) == 1 + len(SHIPPED)


@pytest.mark.parametrize("name", FILE_NAMES)
def test_a_missing_file_is_an_error_that_names_it(copied: Path, name: str) -> None:
    (copied / name).unlink()
    with pytest.raises(RulesError, match=f"{name}:1: cannot be read"):
        load_ruleset(copied)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_file_with_an_unknown_key_is_an_error_that_names_file_and_line(copied: Path, name: str) -> None:
    lines = (copied / name).read_text("utf-8").rstrip("\n").split("\n")
    (copied / name).write_text("\n".join([*lines, "surprise: 1", ""]), "utf-8")
    with pytest.raises(RulesError, match=f"{name}:{len(lines) + 1}: surprise is not known"):
        load_ruleset(copied)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_file_of_another_version_is_an_error(copied: Path, name: str) -> None:
    text = (copied / name).read_text("utf-8")
    (copied / name).write_text(text.replace("version: 1", "version: 2", 1), "utf-8")
    with pytest.raises(RulesError, match=rf"{name}:\d+: version is 2"):
        load_ruleset(copied)


def test_an_optional_file_may_be_missing_and_counts_where_it_is_there(copied: Path) -> None:
    digests = {load_ruleset(copied).digest_hex}
    for name in OPTIONAL_NAMES:
        (copied / name).unlink(missing_ok=True)
        ruleset = load_ruleset(copied)
        assert name not in [source.name for source in ruleset.sources]
        digests.add(ruleset.digest_hex)
    assert load_ruleset(copied).witnesses.is_empty
    assert load_ruleset(copied).retention is None
    assert len(digests) == 1 + len(set(SHIPPED) & set(OPTIONAL_NAMES))


def test_a_profile_is_part_of_the_rules_only_where_it_is_in_use(copied: Path) -> None:
    masking = copied / "masking.yaml"
    masking.write_text(masking.read_text("utf-8").replace("profile: all", "profile: pci"), "utf-8")
    ruleset = load_ruleset(copied)
    names = [source.name for source in ruleset.sources]
    assert "profiles/pci.yaml" in names
    assert "profiles/all.yaml" not in names


def test_the_certificates_that_a_rule_names_are_part_of_the_rules(copied: Path, tmp_path: Path) -> None:
    text = "version: 1\ntimestamps:\n  - {name: tsa, url: 'https://tsa.example.com', roots: tsa-roots.pem}\n"
    (copied / "witnesses.yaml").write_text(text, "utf-8")
    digests = set()
    for number in range(2):
        roots = Authority(tmp_path / f"tsa-{number}").roots_pem
        (copied / "tsa-roots.pem").write_bytes(roots)
        ruleset = load_ruleset(copied)
        assert ruleset.witnesses.timestamps[0].roots_pem == roots
        assert ruleset.sources[-1].name == "tsa-roots.pem"
        digests.add(ruleset.digest_hex)
    assert len(digests) == 2
