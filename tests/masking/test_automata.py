"""What is compiled is kept on disk, and taken from there only as it was written by us."""

import os
import pickle
from pathlib import Path

import hyperscan
import pytest
from tests.masking.conftest import KEY, rules_of

from holdfast.masking import automata as automatas
from holdfast.masking import hyper
from holdfast.masking.approx import Approximation
from holdfast.masking.automata import Automata
from holdfast.masking.masker import Masker
from holdfast.masking.work.nursery import Setup

PATTERNS = (Approximation(r"\d-\d", r"\d-\d", 0), Approximation("ab+c", "ab+c", 0))
OTHERS = (Approximation(r"\d:\d", r"\d:\d", 0),)


def build(automata: Automata, patterns: tuple[Approximation, ...] = PATTERNS) -> dict[int, list[int]] | None:
    hyper.build.cache_clear()
    prefilter, known = hyper.build(patterns, automata)
    assert known == set(range(len(patterns)))
    return prefilter.scan(["1-2 abbc"])[0]


@pytest.fixture
def kept(tmp_path: Path) -> Automata:
    return Automata.beside(tmp_path, KEY)


class Compiled:
    """Counts what is compiled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._real = hyper._compiled
        monkeypatch.setattr(hyper, "_compiled", self._call)

    def _call(self, patterns: tuple[Approximation, ...]) -> object:
        self.count += 1
        return self._real(patterns)


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Compiled:
    return Compiled(monkeypatch)


def only_file(automata: Automata) -> Path:
    (path,) = automata.folder.iterdir()
    return path


def test_a_second_start_compiles_nothing_and_finds_the_same(kept: Automata, compiled: Compiled) -> None:
    first = build(kept)
    assert first == {0: [3], 1: [8]}
    assert build(kept) == first
    assert compiled.count == 1
    assert only_file(kept).stat().st_mode & 0o777 == 0o600
    assert kept.folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("change", ["flip", "cut", "empty", "append", "foreign"])
def test_a_file_that_is_not_as_it_was_written_is_made_anew(kept: Automata, compiled: Compiled, change: str) -> None:
    build(kept)
    path = only_file(kept)
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(
        {
            "flip": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
            "cut": data[:-1],
            "empty": b"",
            "append": data + b"x",
            "foreign": hyperscan.dumpb(hyper._database({0: "x"})),
        }[change]
    )
    assert build(kept) == {0: [3], 1: [8]}
    assert compiled.count == 2
    assert build(kept) == {0: [3], 1: [8]}
    assert compiled.count == 2


def test_a_file_under_another_key_is_not_taken(tmp_path: Path, compiled: Compiled) -> None:
    build(Automata.beside(tmp_path, KEY))
    build(Automata.beside(tmp_path, bytes(32)))
    assert compiled.count == 2


def test_a_file_of_other_patterns_is_not_taken_for_these(kept: Automata, compiled: Compiled) -> None:
    build(kept, OTHERS)
    foreign = only_file(kept).read_bytes()
    only_file(kept).unlink()
    build(kept)
    only_file(kept).write_bytes(foreign)
    assert build(kept) == {0: [3], 1: [8]}
    assert compiled.count == 3


def test_a_symbolic_link_is_not_followed(kept: Automata, compiled: Compiled, tmp_path: Path) -> None:
    build(kept)
    path = only_file(kept)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)
    build(kept)
    assert compiled.count == 2
    assert not path.is_symlink()


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path, compiled: Compiled) -> None:
    (tmp_path / "automata").write_text("no folder")
    assert build(Automata.beside(tmp_path, KEY)) == {0: [3], 1: [8]}
    assert compiled.count == 1


def test_old_files_go(kept: Automata, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(automatas, "FILES_COUNT_MAX", 2)
    for age, name in enumerate("abc"):
        kept.write(name, name.encode())
        os.utime(kept.folder / f"{name}.automata", (age, age))
    kept.write("d", b"d")
    assert [kept.read(name) for name in "abcd"] == [None, None, b"c", b"d"]


def test_a_masker_and_its_workers_share_what_is_kept(kept: Automata, compiled: Compiled) -> None:
    rules = rules_of("version: 1\nentities: [{entity: US_SSN}]")
    setup = pickle.loads(pickle.dumps(Setup(rules, KEY, kept)))
    for _ in range(2):
        hyper.build.cache_clear()
        assert Masker(setup.rules, setup.key, None, setup.automata).keep_text("234-45-6789") == "<US_SSN>"
    assert compiled.count == 1
    assert "key" not in repr(kept)
