"""A second process that makes the events: the same bytes and the same sentences, whatever becomes of it."""

import gzip
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from tests.evidence.conftest import Day
from tests.evidence.forge import lines, pack, unpack

from holdfast.evidence.build import build
from holdfast.evidence.files.entry import parse_entry
from holdfast.evidence.files.naming import OCSF_FILE
from holdfast.evidence.making import standalone
from holdfast.evidence.siem import apart, ocsf
from holdfast.evidence.verify import Exit, verify

DEAD = [sys.executable, "-I", "-S", "-c", "raise SystemExit(1)"]
HASTY = [sys.executable, "-I", "-S", "-c", "print('0' * 64, end='')"]


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second process however few Records there are, and on one processor too."""
    monkeypatch.setattr(apart, "RECORDS_MIN", 1)
    monkeypatch.setattr(apart, "_processors", lambda: 2)


def with_command(monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    monkeypatch.setattr(apart, "_command", lambda: command)


def with_another_event(package: Path) -> Path:
    files = unpack(package)
    events = gzip.decompress(files[OCSF_FILE]).replace(b'"activity_id"', b'"activity_iD"', 1)
    return pack(files | {OCSF_FILE: gzip.compress(events, mtime=0)}, package)


def test_a_few_records_are_worth_no_second_process() -> None:
    with apart.started(apart.RECORDS_MIN - 1) as other:
        assert other is None


@pytest.mark.usefixtures("eager")
def test_a_second_process_makes_the_same_package(day: Day, tmp_path: Path) -> None:
    build(day.world.folder, tmp_path / "apart.zip")
    assert (tmp_path / "apart.zip").read_bytes() == day.package.read_bytes()
    assert list(tmp_path.iterdir()) == [tmp_path / "apart.zip"]


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("command", [DEAD, HASTY, ["/nonexistent/python"]], ids=["dead", "hasty", "missing"])
def test_what_a_second_process_does_not_do_is_done_without_it(
    day: Day, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    with_command(monkeypatch, command)
    assert verify(day.package, day.trust).exit == Exit.VERIFIED
    if command is not HASTY:
        build(day.world.folder, tmp_path / "apart.zip")
        assert (tmp_path / "apart.zip").read_bytes() == day.package.read_bytes()


def test_it_says_the_same_about_a_good_package_and_about_another_event(
    day: Day, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = verify(day.package, day.trust), verify(with_another_event(copy), day.trust)
    monkeypatch.setattr(apart, "RECORDS_MIN", 1)
    monkeypatch.setattr(apart, "_processors", lambda: 2)
    assert (verify(day.package, day.trust), verify(copy, day.trust)) == alone
    wrong = next(step for step in alone[1].steps if step.id == "V12")
    assert wrong.sentence.startswith(f"{OCSF_FILE}: not what follows from the Records, from byte ")


def test_the_one_file_runs_itself_as_the_second_process(day: Day, tmp_path: Path) -> None:
    script = tmp_path / "verify.py"
    script.write_bytes(standalone.source())
    entries = lines(unpack(day.package))
    probe = f"""
import runpy, sys
runpy.run_path({str(script)!r})["install"]()
sys.modules["__main__"].__file__ = {str(script)!r}
from holdfast.evidence.siem import apart
apart.RECORDS_MIN, apart._processors = 1, lambda: 2
with apart.started(1) as other:
    for line in {entries!r}:
        other.add(line)
    assert other.finish()
    print(other.digest_hex)
"""
    command = [sys.executable, "-I", "-c", probe]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=tmp_path, timeout=60)
    assert done.returncode == 0, done.stderr
    made = b"".join(ocsf.line(parse_entry(index, line)) for index, line in enumerate(entries))
    assert done.stdout.strip() == hashlib.sha256(made).hexdigest()
    assert list(tmp_path.iterdir()) == [script]
