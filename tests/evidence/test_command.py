import hashlib
import json
from pathlib import Path

import pytest
from tests.evidence.conftest import Day
from tests.evidence.forge import unpack

from holdfast.evidence.commands.main import main, parser
from holdfast.evidence.files.fingerprints import parse_trust
from holdfast.evidence.verify import Exit

DOCS = Path(__file__).resolve().parents[2] / "docs" / "evidence.md"


def test_build_says_what_comes_next(day: Day, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.zip"
    assert main(["build", "--data", str(day.world.folder), "--out", str(out), "--unrecorded"]) == 0
    printed = capsys.readouterr()
    assert f"verify {out} --trust" in printed.out
    assert "packing: 68 Records" in printed.err
    assert "NOT recorded" in printed.err


def test_build_for_programs(day: Day, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["build", "--data", str(day.world.folder), "--out", str(tmp_path / "out.zip"), "--json", "--unrecorded"]
    assert main(arguments) == 0
    built = json.loads(capsys.readouterr().out)
    assert (built["first"], built["missing_objects"], built["erased_payloads"], built["recorded"]) == (0, [], 0, None)
    assert built["digest"] == hashlib.sha256((tmp_path / "out.zip").read_bytes()).hexdigest()


def test_the_report_alone_is_the_front_page(day: Day, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    assert main(["report", "--data", str(day.world.folder), "--out", str(out)]) == 0
    assert b"Maya Lindqvist" in out.read_bytes()


def test_a_report_of_a_control_is_about_that_control(day: Day, tmp_path: Path) -> None:
    out = tmp_path / "control.html"
    assert main(["report", "--data", str(day.world.folder), "--out", str(out), "--control", "CC6.1"]) == 0
    text = out.read_text("utf-8")
    assert "CC6.1" in text
    assert "CC8.1" not in text


def test_samples_take_a_number_and_a_nonce(day: Day, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build = ["build", "--data", str(day.world.folder), "--out", str(tmp_path / "out.zip"), "--unrecorded"]
    assert main([*build, "--sample", "5"]) == Exit.USAGE
    assert "--nonce" in capsys.readouterr().err
    assert main([*build, "--sample", "5", "--nonce", "lottery of 22 November"]) == 0
    names = [name for name in unpack(tmp_path / "out.zip") if name.startswith("samples/")]
    assert len(names) == 11
    assert main(["verify", str(tmp_path / "out.zip"), "--trust", str(day.world.vkey)]) == Exit.VERIFIED
    assert "5 samples of 68 Records are those that the nonce 'lottery of 22 November' draws" in capsys.readouterr().out


def test_verify_names_the_first_thing_that_is_wrong(day: Day, copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["verify", str(copy), "--trust", str(day.world.vkey)]
    assert main(arguments) == Exit.VERIFIED
    copy.write_bytes(copy.read_bytes().replace(b"Maya", b"Mara", 1))
    assert main([*arguments, "--json"]) == Exit.TAMPERED
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["headline"].startswith("V1: ")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 3),
        (["frobnicate"], 3),
        (["verify"], 3),
        (["build", "--data", "nowhere"], 3),
        (["build", "--data", "nowhere", "--out", "x.zip"], 2),
        (["build", "--data", "nowhere", "--out", "x.zip", "--withhold", "9-3"], 2),
        (["verify", "nowhere.zip"], 2),
        (["verify", "nowhere.zip", "--trust", "nowhere.vkey"], 3),
    ],
)
def test_exit_codes_of_wrong_usage(arguments: list[str], code: int) -> None:
    try:
        assert main(arguments) == code
    except SystemExit as exit_:
        assert exit_.code == code  # noqa: PT017 -- argparse exits, the commands return


def test_a_time_that_is_none_is_named(day: Day, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(
        ["build", "--data", str(day.world.folder), "--out", str(tmp_path / "x.zip"), "--from", "soon", "--unrecorded"]
    )
    assert code == Exit.UNVERIFIABLE
    assert "write 2026-11-22" in capsys.readouterr().err


def test_a_trust_file_is_a_vkey_or_a_policy(day: Day) -> None:
    vkey = day.world.vkey.read_text().strip()
    policy = f"# whom we trust\nlog {vkey}\nwitness w {vkey}\nquorum none\n"
    assert parse_trust(vkey) == parse_trust(policy) == [day.world.keys.verifier]


def test_every_option_step_and_file_is_documented(day: Day) -> None:
    text = DOCS.read_text(encoding="utf-8")
    commands = next(action for action in parser()._actions if action.dest == "command")
    assert isinstance(commands.choices, dict)
    for name, command in commands.choices.items():
        assert f"evidence.py {name}" in text
        for action in command._actions:
            for option in action.option_strings:
                assert f"`{option}" in text, option
    assert all(f"| V{number} |" in text for number in range(1, 14))
    for name in unpack(day.package):
        folder, _, rest = name.partition("/")
        assert f"`{folder}/" in text if rest else f"`{name}`" in text, name
