"""Five thousand values, in every place of the protocol, and none in anything that was written."""

import collections
import dataclasses
import functools
import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from scripts.demo_world.search import pieces_of
from tests.live.harness.approver import decide
from tests.live.harness.gateway import Gateway
from tests.live.harness.upstream import Upstream
from tests.live.harness.wire import Wire, request
from tests.live.harness.world import ROOT, World, call, in_parallel, until
from tests.live.leaks.needles import Needles
from tests.live.leaks.plan import PLACES, Server, Step, plan, take
from tests.live.leaks.planted import KINDS, Planted, make_planted, spellings

from holdfast.approval.client import DeskClient

pytestmark = pytest.mark.live

VALUES_COUNT: Final = 5000
HELD_ROUNDS: Final = 2
SEED: Final = 20_261_126
TRAVELS_MASKED: Final = {
    "client": ("card", "ssn", "iban", "key"),
    "server": ("card", "ssn", "iban", "email", "phone", "key"),
}


@dataclasses.dataclass(frozen=True)
class Run:
    """What a run left: a folder with everything that was written, and what either side heard."""

    folder: Path
    steps: list[Step]
    held: list[Planted]
    statuses: list[int]
    heard_by_clients: bytes
    heard_by_server: bytes

    @functools.cached_property
    def planted(self) -> list[Planted]:
        return [*(step.value for step in self.steps), *self.held]


@pytest.fixture(scope="module")
def run(world: World, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("leaks")
    steps = plan(VALUES_COUNT, SEED)
    held = [
        dataclasses.replace(value, number=VALUES_COUNT + value.number)
        for value in make_planted(KINDS * HELD_ROUNDS, SEED + 1)
    ]
    upstream = Upstream()
    upstream.begin(Server(steps))
    with pytest.MonkeyPatch.context() as patch:
        for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
            (folder / name).mkdir()
            patch.setenv(name, str(folder / name))
        gateway = Gateway(world, upstream.port, folder, options=["-w", str(folder / "flows.mitm")])
        try:
            gateway.ready()
            told = in_parallel(lambda step: take(step, gateway.port, world), steps, workers=4)
            _hold(gateway, world, held, folder)
            shutil.copytree(gateway.data, folder / "while it ran", ignore=_sockets)
            assert gateway.terminate() == 0
            _package(gateway, folder)
        finally:
            gateway.kill()
            upstream.close()
    heard = b"\n".join(data for _, data in told)
    return Run(folder, steps, held, [status for status, _ in told], heard, upstream.heard())


def _hold(gateway: Gateway, world: World, held: list[Planted], folder: Path) -> None:
    """Calls that wait, what their approvers see and say, and what becomes of them."""
    desk = DeskClient(gateway.data)
    for value in held:
        with Wire(gateway.port) as wire:
            wire.send(
                request(
                    world.token("mcp-users"), call("delete_customer", {"customer_id": f"C{value.number} {value.text}"})
                )
            )
            hold = str(until(desk.listing, "a call is held")[-1]["id"])
            for command in ("list", "show"):
                arguments = [command, "--json"] if command == "list" else [command, hold, "--json"]
                shown = _script("approve.py", "--data", str(gateway.data), *arguments)
                (folder / f"approver-{command}-{value.number}.json").write_bytes(shown)
            decide(gateway, world, hold, "approve" if value.number % 2 else "deny")
            assert wire.answer().status == 200


def _sockets(path: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(path) / name).is_socket()]


def _package(gateway: Gateway, folder: Path) -> None:
    data = str(gateway.data)
    _script("evidence.py", "build", "--data", data, "--out", str(folder / "package.zip"))
    (folder / "exported.jsonl").write_bytes(_script("ledger.py", "--data", data, "export"))


def _script(name: str, *arguments: str) -> bytes:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / name), *arguments], capture_output=True, check=False, env=os.environ
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def _leaks(folder: Path, planted: list[Planted]) -> collections.Counter[tuple[int, str]]:
    needles = Needles(planted)
    found: collections.Counter[tuple[int, str]] = collections.Counter()
    for file in sorted(file for file in folder.rglob("*") if file.is_file()):
        for where, data in _joined(pieces_of(file)):
            found.update((value.number, where.removeprefix(str(folder))) for value in needles.found_in(data))
    return found


def _joined(pieces: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    """The pieces of one place together: a table has a hundred thousand cells."""
    for where, group in itertools.groupby(pieces, lambda piece: piece[0]):
        yield where, b" \0 ".join(data for _, data in group)


def test_the_search_finds_every_spelling_of_every_value(tmp_path: Path) -> None:
    planted = make_planted(KINDS * 5, SEED)
    for value in planted:
        for count, form in enumerate(spellings(value)):
            (tmp_path / "planted").write_bytes(b"\0x " * (count + 1) + form + b" x")
            assert (value.number, "/planted") in _leaks(tmp_path, planted), (value, form)


def test_the_run_was_a_real_one(run: Run) -> None:
    kinds = collections.Counter((step.side, step.place, step.value.kind) for step in run.steps)
    assert len({(side, place) for side, place, _ in kinds}) == len(PLACES)
    assert len(kinds) == len(PLACES) * len(KINDS)
    statuses = collections.Counter(run.statuses)
    assert statuses[200] > len(run.steps) // 2
    assert statuses[0] < len(run.steps) // 10
    assert (run.folder / "flows.mitm").stat().st_size > 1_000_000
    assert len({value.number for value in Needles(run.planted).found_in(run.heard_by_server)}) > 100


def test_no_value_is_in_anything_that_was_written(run: Run) -> None:
    steps = {step.value.number: step for step in run.steps}
    leaks = [
        f"{steps[number].side}: {steps[number].place}: {steps[number].value.kind} in {where}"
        if number in steps
        else where
        for number, where in _leaks(run.folder, run.planted)
    ]
    summary = collections.Counter(leaks)
    assert not leaks, json.dumps(summary.most_common(60), indent=1)


def test_no_value_of_data_has_travelled_where_its_mask_does(run: Run) -> None:
    for side, heard in (("client", run.heard_by_server), ("server", run.heard_by_clients)):
        bound = [
            step for step in run.steps if step.side == side and step.is_data and step.value.kind in TRAVELS_MASKED[side]
        ]
        found = {value.number for value in Needles(step.value for step in bound).found_in(heard)}
        assert not [f"{step.place}: {step.value.kind}" for step in bound if step.value.number in found]
        assert len(bound) > 400
