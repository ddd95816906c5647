import logging
from pathlib import Path

import pytest
from tests.ledger.ledgers import ORIGIN, keys_in

from holdfast.errors import SettingsError
from holdfast.ledger import note
from holdfast.ledger.keys import open_keys


def test_the_first_start_makes_keys_and_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        keys = keys_in(tmp_path)
    assert [entry.message for entry in caplog.records if "created new keys" in entry.message]
    folder = tmp_path / "keys"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        ("ledger.pem", "ledger.pub.pem", "ledger.vkey", "masking.key", "request.key", "origin"), 0o600
    )
    assert note.parse_vkey((folder / "ledger.vkey").read_text().strip()) == keys.verifier
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_the_second_start_reads_the_same_keys_and_says_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = keys_in(tmp_path)
    with caplog.at_level(logging.INFO):
        second = open_keys(tmp_path, origin=None)
    assert (second.origin, second.masking, second.request) == (first.origin, first.masking, first.request)
    assert second.verifier == first.verifier
    assert len(second.masking) == len(second.request) == 32
    assert second.masking != second.request
    assert not caplog.records[1:]


def test_an_origin_that_nobody_chose_is_made_of_the_key(tmp_path: Path) -> None:
    first, second = open_keys(tmp_path / "a", origin=None), open_keys(tmp_path / "b", origin=None)
    assert first.origin.startswith("localhost/ledger/")
    assert first.origin != second.origin


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a//b", "/a", "a\n", "a/é", "x" * 256])
def test_an_origin_that_a_note_could_not_name_is_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(SettingsError, match="origin"):
        open_keys(tmp_path, origin=origin)


def test_a_ledger_keeps_its_origin(tmp_path: Path) -> None:
    keys_in(tmp_path)
    with pytest.raises(SettingsError, match="keeps its origin"):
        open_keys(tmp_path, origin="another/ledger")


@pytest.mark.parametrize("name", ["ledger.pem", "masking.key", "origin", ""])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_may_read_or_write_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    keys_in(tmp_path)
    path = tmp_path / "keys" / name
    path.chmod(mode | 0o100 if not name else mode)
    with pytest.raises(SettingsError, match="chmod"):
        keys_in(tmp_path)


@pytest.mark.parametrize(
    "name", ["ledger.pem", "ledger.pub.pem", "ledger.vkey", "masking.key", "request.key", "origin"]
)
def test_a_missing_key_is_named_and_not_made_anew(tmp_path: Path, name: str) -> None:
    keys_in(tmp_path)
    (tmp_path / "keys" / name).unlink()
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        keys_in(tmp_path)
    assert not (tmp_path / "keys" / name).exists()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("ledger.pem", b"-----BEGIN PRIVATE KEY-----", "not a private key"),
        ("masking.key", b"short", "does not have 32 bytes"),
        ("request.key", bytes(33), "does not have 32 bytes"),
        ("origin", b"\xff\n", "does not hold an origin"),
        ("origin", b"another/ledger\n", "does not belong"),
        ("ledger.vkey", b"another+00000000+AAAA\n", "does not belong"),
        ("ledger.vkey", bytes(5000), "longer than"),
    ],
)
def test_a_malformed_key_is_named_without_its_content(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    keys_in(tmp_path)
    (tmp_path / "keys" / name).write_bytes(data)
    with pytest.raises(SettingsError, match=message):
        open_keys(tmp_path, origin=None)


def test_a_link_in_place_of_a_key_is_refused(tmp_path: Path) -> None:
    keys_in(tmp_path)
    path = tmp_path / "keys" / "masking.key"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="cannot be read"):
        keys_in(tmp_path)


def test_the_origin_of_the_tests_is_a_good_one() -> None:
    assert ORIGIN == "gw.example.com/ledger/n1"
