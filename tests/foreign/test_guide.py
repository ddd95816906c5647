"""VERIFY.md's commands, as they stand there, on a package and on the same package with one byte altered."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from scripts import foreign
from tests.foreign.conftest import Packed, need
from tests.repo.tree import ROOT

from holdfast.evidence.making.guide_foreign import FOREIGN

TEXT = FOREIGN.decode()
SECTIONS = {
    section.partition(": ")[0]: section.partition("```sh\n")[2].partition("```")[0]
    for section in TEXT.split("### ")[1:]
}
# Program -> the files in which one altered byte must be found. The sample's name stands for that of its Record.
ALTERED = {
    "sha256sum": ["README.html", "ledger/checkpoint.end", "samples/N.json"],
    "ssh-keygen": ["SHA256SUMS", "SHA256SUMS.sig"],
    "openssl": ["ledger/checkpoint.end", "trust/log.pub.pem"],
    "aics-tlog": ["ledger/checkpoint.end", "samples/N.json", "ledger/tiles/tile/0/TILE"],
    "aics-tlog with a witness": ["ledger/checkpoint.end", "../witness.vkey"],
    "golang.org/x/mod": ["ledger/checkpoint.end", "samples/N.json", "samples/N.tlog-proof"],
    "golang.org/x/mod with a witness": ["ledger/checkpoint.end", "../witness.vkey"],
    "golang.org/x/mod with a start": ["ledger/checkpoint.start", "ledger/checkpoint.end", "ledger/consistency/*.txt"],
    "@sigstore/verify": ["samples/N.json", "samples/N.tlog-proof", "trust/log.pub.pem"],
    "openssl with a time stamp": ["ledger/checkpoint.end", "ledger/timestamps/*.tsr"],
    "Python alone": ["../package.zip"],
}
NEEDED = {"openssl": "openssl", "ssh-keygen": "ssh-keygen", "@sigstore/verify": "npm", "sha256sum": "sha256sum"}
CASES = [(name, path) for name, paths in ALTERED.items() for path in paths]


def packed_for(name: str, whole: Packed, later: Packed) -> Packed:
    return later if name.endswith("a start") else whole


def run(name: str, packed: Packed, programs: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = {**programs, "N": str(packed.sample), "PACKAGE": str(packed.package)}
    command = ["bash", "-euo", "pipefail", "-c", SECTIONS[name]]
    return subprocess.run(command, cwd=packed.folder, env=environment, capture_output=True, text=True, check=False)


def file_of(packed: Packed, path: str) -> Path:
    tile = packed.sample // 256
    names = path.replace("samples/N.", f"samples/{packed.sample}.").replace("TILE", f"{tile:03}")
    found = sorted(packed.folder.glob(names)) or sorted(packed.folder.glob(f"{names}.p/*"))
    return found[-1] if found else packed.folder / names


def alter(path: Path) -> None:
    """One bit of a byte that says something: in the middle of a hash, a signature or a Record."""
    data = bytearray(path.read_bytes())
    at = len(data) // 2
    while chr(data[at]) in "\n /+=-":
        at += 1
    data[at] ^= 1
    path.write_bytes(data)


@pytest.fixture
def tampered(request: pytest.FixtureRequest, whole: Packed, later: Packed, tmp_path: Path) -> Packed:
    name, path = request.param
    _skip_without(name)
    original = packed_for(name, whole, later)
    shutil.copytree(original.folder.parent, tmp_path / "copy")
    packed = Packed(tmp_path / "copy" / "package.zip", tmp_path / "copy" / "package", original.sample)
    alter(file_of(packed, path))
    return packed


def _skip_without(name: str) -> None:
    if name.startswith("@sigstore") and foreign.is_ready() and not foreign.MODULES.is_dir():
        pytest.skip("the npm packages are not in .foreign: npm was not installed when it was set up")
    for start, program in NEEDED.items():
        if name.startswith(start):
            need(program)


def test_every_command_of_the_guide_is_run_here() -> None:
    assert SECTIONS.keys() == ALTERED.keys()
    assert TEXT.count("```sh") == len(SECTIONS)


def test_the_documentation_gives_the_same_commands() -> None:
    page = (ROOT / "docs" / "foreign.md").read_text("utf-8")
    assert [name for name, block in SECTIONS.items() if block not in page] == []


def test_the_guide_in_a_package_has_them(whole: Packed) -> None:
    assert FOREIGN in (whole.folder / "VERIFY.md").read_bytes()


@pytest.mark.parametrize("name", SECTIONS)
def test_a_command_of_the_guide_verifies_the_package(
    name: str, whole: Packed, later: Packed, programs: dict[str, str]
) -> None:
    _skip_without(name)
    done = run(name, packed_for(name, whole, later), programs)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("tampered", "name"), [((n, p), n) for n, p in CASES], ids=[f"{n}: {p}" for n, p in CASES], indirect=["tampered"]
)
def test_a_command_of_the_guide_refuses_one_altered_byte(name: str, tampered: Packed, programs: dict[str, str]) -> None:
    done = run(name, tampered, programs)
    assert done.returncode != 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_of_the_guide_needs_more_than_the_package_and_what_was_got_elsewhere(whole: Packed) -> None:
    named = set(re.findall(r"\.\./[\w.-]+", "".join(SECTIONS.values())))
    assert named == {"../log.vkey", "../witness.vkey", "../tsa-roots.pem", "../text", "../signature", "../stamped"}
    assert whole.package.parent == whole.folder.parent
