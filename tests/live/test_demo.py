"""The demo is a test too: it fails on any expectation that is not met."""

import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.live

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def output() -> Iterator[Path]:
    # A short path: the approval desk's socket lies below it.
    folder = Path(tempfile.mkdtemp(prefix="hf-"))
    yield folder / "out"
    shutil.rmtree(folder)


def test_the_demo_meets_every_expectation(output: Path) -> None:
    ran = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "demo.py"), "--output", str(output)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4000:] + ran.stderr[-2000:]
    with zipfile.ZipFile(output / "evidence.zip") as package:
        (files,) = json.loads(package.read("AuditInfo.json"))["rules"].values()
        # Rules below the folder travel like those in it.
        assert {"masking/people.yaml", "masking/secrets.yaml", "profiles/all.yaml"} <= files.keys()
        for name in ("masking/people.yaml", "profiles/all.yaml"):
            assert package.read(f"objects/{files[name]}") == (ROOT / "rules" / name).read_bytes()
