"""The demo replaces its own output and nothing else."""

from pathlib import Path

import pytest
from scripts.demo import main
from scripts.demo_world.world import NotOurs, fresh_folder


def test_the_output_of_an_earlier_demo_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "demo-output"
    fresh_folder(out)
    (out / "evidence.zip").touch()
    folders = fresh_folder(out)
    assert not folders.package.exists()
    assert folders.server.is_dir()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(NotOurs, match="choose another folder"):
        fresh_folder(tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_an_empty_folder_will_do(tmp_path: Path) -> None:
    assert fresh_folder(tmp_path).out == tmp_path


def test_a_wrong_output_folder_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").touch()
    assert main(["--output", str(tmp_path)]) == 3
    assert "--output" in capsys.readouterr().err


def test_help_names_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "--output" in shown
    assert "--keep-running" in shown
