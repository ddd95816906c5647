"""What is compiled is kept on disk, and taken from there only as it was written by us."""

import os
import pickle
import sys
from pathlib import Path

import hyperscan
import pytest
from tests.masking.conftest import KEY, rules_of
from tests.masking.pools import ONE

from holdfast.masking import automata as automatas
from holdfast.masking import compiling, hyper
from holdfast.masking.approx import Approximation
from holdfast.masking.automata import Automata
from holdfast.masking.masker import Masker
from holdfast.masking.work.nursery import Setup
from holdfast.masking.work.pool import Pool

PATTERNS = (Approximation(r"\d-\d", r"\d-\d", 0), Approximation("ab+c", "ab+c", 0))
MANY = tuple(Approximation(f"x{number}-", f"x{number}-", 0) for number in range(hyper.APART_COUNT_MIN))
UNREADABLE = Approximation("(?<=a)b", "(?<=a)b", 0)
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
            "foreign": hyperscan.dumpb(compiling.database_of({0: "x"})),
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


async def test_a_nursery_compiles_nothing_that_the_gateway_has_compiled(kept: Automata) -> None:
    rules = rules_of("version: 1\nentities: [{entity: US_SSN}]")
    pool = Pool(rules, KEY, ONE, kept)
    pool.spawn()
    hyper.build.cache_clear()
    masker = Masker(rules, KEY, pool, kept)
    written = only_file(kept).stat()
    assert pool._setup.automata == kept
    try:
        await masker.start()
        # What is compiled anew replaces the file.
        assert only_file(kept).stat().st_ino == written.st_ino
        assert only_file(kept).stat().st_mtime_ns == written.st_mtime_ns
    finally:
        await masker.retire()


async def test_a_nursery_takes_no_file_that_was_changed_after_the_gateway_wrote_it(kept: Automata) -> None:
    rules = rules_of("version: 1\nentities: [{entity: US_SSN}]")
    pool = Pool(rules, KEY, ONE, kept)
    hyper.build.cache_clear()
    masker = Masker(rules, KEY, pool, kept)
    path = only_file(kept)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        await masker.start()
        assert kept.read(path.stem) is not None
    finally:
        await masker.retire()


class CompiledHere:
    """Counts the databases that this process compiles itself."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        monkeypatch.setattr(hyper, "database_of", self._call)

    def _call(self, expressions: dict[int, str]) -> object:
        self.count += 1
        return compiling.database_of(expressions)


def test_many_patterns_are_compiled_by_other_processes_and_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    here = CompiledHere(monkeypatch)
    prefilter, known = hyper.build.__wrapped__(MANY)
    assert here.count == 0
    alone = hyper.HyperscanPrefilter(*hyper._databases(MANY, tuple(range(len(MANY)))))
    texts = ["x1- x31-", "éx7-", "none", "x2- " * 500]
    assert known == set(range(len(MANY)))
    assert prefilter.scan(texts) == alone.scan(texts)
    assert prefilter.scan(texts)[0] == {1: [3], 31: [8]}


def test_of_many_patterns_one_that_cannot_be_compiled_is_left_to_itself() -> None:
    prefilter, known = hyper.build.__wrapped__((*MANY, UNREADABLE))
    assert known == set(range(len(MANY)))
    assert prefilter.scan(["x1- ab"]) == [{1: [3]}]


def test_where_no_other_process_can_be_started_the_gateway_compiles_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    here = CompiledHere(monkeypatch)
    assert hyper.build.__wrapped__(MANY)[0].scan(["x1-"]) == [{1: [3]}]
    assert here.count == 2
