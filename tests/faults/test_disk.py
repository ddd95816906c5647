"""A ledger on a disk that fails at every place where it can: no acknowledged Record is lost, no gap goes unnamed.

The shim stands between SQLite and the kernel, so what fails is the real thing: each write, each synchronisation, each
change of a name. `LOSE` and `SOME` are what a power cut does to a file system that promised nothing but what was
synchronised; names of files are taken to survive.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLACES_MIN = 80  # fewer would mean that the shim sees little of what is written


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler")
    library = tmp_path_factory.mktemp("shim") / "shim.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "shim.c", "-ldl"], check=True)
    return library


@pytest.mark.parametrize(("kind", "seed"), [("kill", 1), ("torn", 1), ("lose", 1), ("some", 3), ("error", 1)])
def test_a_disk_that_fails_at_any_change_loses_nothing_acknowledged(
    shim: Path, tmp_path: Path, kind: str, seed: int
) -> None:
    outcomes = drive(shim, tmp_path, kind, seed)
    assert [one for one in outcomes if one["wrong"]] == []
    assert len(outcomes) > PLACES_MIN
    # The last run met no fault and told of every Record: the runs before it were not idle.
    assert outcomes[-1]["ended"] == 0
    assert all(one["ended"] in ({0, 3} if kind == "error" else {"killed"}) for one in outcomes[:-1])


def drive(shim: Path, folder: Path, kind: str, seed: int) -> list[dict[str, object]]:
    environment = {**os.environ, "LD_PRELOAD": str(shim), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, HERE / "driver.py", shim, folder, kind, str(seed)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]
