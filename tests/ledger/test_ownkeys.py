from pathlib import Path

import pytest
from tests.ledger.ledgers import ORIGIN, keys_in

from holdfast.errors import SettingsError
from holdfast.ledger.remote.ownkeys import open_own_keys


def test_keys_are_made_once_and_none_of_them_signs(tmp_path: Path) -> None:
    first = open_own_keys(tmp_path, ORIGIN)
    assert open_own_keys(tmp_path, ORIGIN) == first
    assert first.masking != first.request
    names = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()}
    assert names == {"masking.key": 0o600, "request.key": 0o600, "origin": 0o600}
    assert "keys" not in repr(first) or first.masking.hex() not in repr(first)


def test_keys_that_were_brought_along_are_kept(tmp_path: Path) -> None:
    before = keys_in(tmp_path)
    found = open_own_keys(tmp_path, ORIGIN)
    assert (found.masking, found.request) == (before.masking, before.request)


def test_a_folder_with_a_key_that_signs_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keys_in(tmp_path)
    open_own_keys(tmp_path, ORIGIN)
    assert "whoever breaks into the gateway has it too" in caplog.text


def test_a_start_that_was_cut_short_is_finished(tmp_path: Path) -> None:
    first = open_own_keys(tmp_path, ORIGIN)
    for name in ("origin", "request.key"):
        (tmp_path / "keys" / name).unlink()
    again = open_own_keys(tmp_path, ORIGIN)
    assert again.masking == first.masking
    assert again.request != first.request


@pytest.mark.parametrize("name", ["masking.key", "request.key"])
def test_a_missing_or_cut_key_is_not_made_anew(tmp_path: Path, name: str) -> None:
    open_own_keys(tmp_path, ORIGIN)
    (tmp_path / "keys" / name).write_bytes(b"short")
    with pytest.raises(SettingsError, match="does not have 32 bytes"):
        open_own_keys(tmp_path, ORIGIN)
    (tmp_path / "keys" / name).unlink()
    with pytest.raises(SettingsError, match="restore it from a backup"):
        open_own_keys(tmp_path, ORIGIN)


def test_another_ledger_is_refused(tmp_path: Path) -> None:
    open_own_keys(tmp_path, ORIGIN)
    with pytest.raises(SettingsError, match="names another ledger"):
        open_own_keys(tmp_path, ORIGIN + "2")


def test_keys_that_others_may_read_are_refused(tmp_path: Path) -> None:
    open_own_keys(tmp_path, ORIGIN)
    (tmp_path / "keys" / "masking.key").chmod(0o644)
    with pytest.raises(SettingsError, match="open to others"):
        open_own_keys(tmp_path, ORIGIN)
