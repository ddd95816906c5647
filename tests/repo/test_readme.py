"""The README's rule files parse, and its first commands are the ones that work."""

import re

import pytest
from tests.repo.tree import texts

from holdfast.identity.rules import parse_identity
from holdfast.policy.access import parse_access
from holdfast.policy.document import Source, parse_document

PARSERS = {"issuers": parse_identity, "rules": parse_access}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", texts()["README.md"], re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks("yaml"))
def test_a_rule_file_in_the_readme_is_one_that_the_gateway_takes(block: str) -> None:
    section = parse_document(Source("README.md", block.encode()))
    (parser,) = [parse for key, parse in PARSERS.items() if key in section]
    assert parser(section)


def test_the_readme_begins_with_the_two_commands() -> None:
    assert [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines()] == ["make demo", "make test"]


def test_every_target_in_a_command_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", texts()["Makefile"], re.MULTILINE))
    used = {name for block in blocks("sh") for name in re.findall(r"^make ([a-z]+)", block, re.MULTILINE)}
    assert used
    assert used <= targets
