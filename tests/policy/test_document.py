import re
from pathlib import Path

import pytest
from tests.policy.build import section

from holdfast.errors import RulesError
from holdfast.policy.document import Source, parse_document, read_source, require_version


def refuses(data: bytes, line: int, words: str) -> None:
    with pytest.raises(RulesError, match=re.escape(words)) as caught:
        require_and_read(data)
    assert (caught.value.file, caught.value.line) == ("some.yaml", line)
    assert caught.value.remedy


def require_and_read(data: bytes) -> None:
    top = parse_document(Source("some.yaml", data))
    for key in top.keys():  # noqa: SIM118 -- a Section is no mapping
        top.json(key)


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"", 1, "the file is no mapping"),
        (b"- a\n", 1, "the file is no mapping"),
        (b"\xff\xfe", 1, "not UTF-8 at byte 0"),
        (b"a: \x07\n", 1, "a character that YAML forbids"),
        (b"a: 1\nb:\n\tc: 1\n", 3, "not YAML"),
        (b"a: 1\nb: [1, 2\n", 3, "not YAML"),
        (b"a: &x 1\nb: *x\n", 2, "aliases are not allowed"),
        (b"a: 1\nb: 2\na: 3\n", 3, "the key a stands twice"),
        (b"a:\n  - b: 1\n    c: 2\n    b: 3\n", 4, "the key b stands twice"),
        (b"a: 1\n---\nb: 2\n", 2, "not YAML"),
        (b"[1, 2]: 3\n", 1, "a key is not a text"),
        (b"a: 1\nb: !!python/object/apply:os.system [id]\n", 2, "not YAML"),
        (b"a: 1\nb: 2026-13-45\n", 2, "out of range"),
        (b"a: 2026-01-01\n", 1, "holds what JSON cannot"),
        (b"a: .nan\n", 1, "holds what JSON cannot"),
        (b"a: {1: 2}\n", 1, "holds what JSON cannot"),
        (b"a: " + b"1" * 5000 + b"\n", 1, "out of range"),
        (b"a: " + b"[" * 50_000, 1, "nested too deep"),
    ],
)
def test_a_file_that_two_people_could_read_differently_is_refused_by_line(data: bytes, line: int, words: str) -> None:
    refuses(data, line, words)


def test_a_missing_file_says_where_it_belongs(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="Put the file at"):
        read_source(tmp_path / "access.yaml")


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "access.yaml"
    path.write_bytes(b"#" * (1024 * 1024 + 1))
    with pytest.raises(RulesError, match="1048577 bytes"):
        read_source(path)


def test_an_unknown_key_is_named_with_its_line_and_the_known_ones() -> None:
    top = section("version: 1\nrules: []\nrulez: []\n")
    require_version(top)
    list(top.sections("rules"))
    with pytest.raises(RulesError, match=r"some\.yaml:3: rulez is not known\. Remove it or use one of: rules, version"):
        top.done()


@pytest.mark.parametrize("text", ["rules: []", "version: 2", "version: true", "version: '1'"])
def test_only_version_1_is_read(text: str) -> None:
    with pytest.raises(RulesError, match="version"):
        require_version(section(text))


@pytest.mark.parametrize("pattern", ["(", "[[a]]", "a{99999999999999}", "x" * 2001])
def test_an_expression_that_does_not_compile_clearly_is_refused(pattern: str) -> None:
    with pytest.raises(RulesError, match=r"some\.yaml:2: p "):
        section(f"a: 1\np: '{pattern}'\n").regex("p")
