"""The gateway's own credential: one line of a file that is its owner's alone, and no part of the rules."""

import dataclasses
from pathlib import Path

import pytest
from tests.policy.test_servers import DOCS, parse

from holdfast.errors import RulesError
from holdfast.policy.credential import with_credential


def read(folder: Path, content: bytes, *, header: str = "authorization", mode: int = 0o600) -> tuple[str, str] | None:
    (server,) = parse(DOCS + f"    credential_file: token\n    credential_header: {header}\n")
    (folder / "token").write_bytes(content)
    (folder / "token").chmod(mode)
    return with_credential(server, folder).credential


@pytest.mark.parametrize(
    ("content", "header", "expected"),
    [
        (b"s3cret\n", "authorization", ("authorization", "Bearer s3cret")),
        (b"Basic dTpw\r\n", "Authorization", ("authorization", "Basic dTpw")),
        (b"s3cret", "X-API-Key", ("x-api-key", "s3cret")),
    ],
)
def test_the_file_becomes_a_header(tmp_path: Path, content: bytes, header: str, expected: tuple[str, str]) -> None:
    assert read(tmp_path, content, header=header) == expected


@pytest.mark.parametrize("content", [b"", b"\n", b"s3\ncret\n", b"s3\0cret", "s3crét".encode(), b" s3c", b"s3" * 4500])
def test_what_is_no_line_of_visible_ascii_is_an_error_that_does_not_quote_it(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(RulesError) as caught:
        read(tmp_path, content)
    assert "servers.yaml:3: credential_file of docs: " in str(caught.value)
    assert "s3" not in str(caught.value)


def test_a_file_that_others_may_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RulesError, match="open to others than its owner: chmod 600"):
        read(tmp_path, b"s3cret", mode=0o640)


def test_a_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    (server,) = parse(DOCS + "    credential_file: gone\n")
    with pytest.raises(RulesError, match=r"gone is missing"):
        with_credential(server, tmp_path)


def test_a_server_without_a_file_has_no_credential(tmp_path: Path) -> None:
    (server,) = parse(DOCS)
    assert with_credential(server, tmp_path) is server


def test_a_credential_does_not_show_in_a_repr() -> None:
    (server,) = parse(DOCS)
    assert "s3cret" not in repr(dataclasses.replace(server, credential=("authorization", "Bearer s3cret")))
