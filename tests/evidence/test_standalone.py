"""`verify.py` in a package: one file, any Python from 3.11 on, nothing installed."""

import ast
import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.evidence.conftest import Day
from tests.evidence.test_isolation import ADDONS

from holdfast.errors import EvidenceError
from holdfast.evidence.making import standalone
from holdfast.evidence.verify import Exit

PROBE = "import sys; print(*sys.version_info[:2], sys.executable, sep='|')"


@functools.cache
def interpreters() -> dict[tuple[int, int], str]:
    """Version -> path of every Python on this machine that runs: on the PATH, and in pyenv's and uv's folders."""
    home = Path(os.environ.get("HOME", "/nonexistent"))
    pyenv = Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions"
    uv = home / ".local/share/uv/python"
    names = [f"python3.{minor}" for minor in range(8, 16)]
    found = [str(path) for folder in (pyenv, uv) for path in sorted(folder.glob("*/bin/python3"))]
    found += [path for name in names for path in [shutil.which(name)] if path]
    versions: dict[tuple[int, int], str] = {}
    for path in [sys.executable, *found]:
        # A shim has the right name and may have no Python behind it.
        asked = subprocess.run([path, "-I", "-c", PROBE], capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            major, minor, real = asked.stdout.strip().split("|")
            versions.setdefault((int(major), int(minor)), real)
    return versions


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("standalone") / "verify.py"
    path.write_bytes(standalone.source())
    return path


def run(script: Path, *arguments: str, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    command = [python, "-I", str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=script.parent, timeout=120)


def without_libraries(day: Day) -> dict[str, object]:
    """What `evidence.py verify` says where nothing is installed: what `verify.py` must say too."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from holdfast.evidence.checking.alone import main\n"
        "for name in ('jinja2', 'yaml', 'cryptography', 'rfc3161_client'): sys.modules[name] = None\n"
        "sys.exit(main(sys.argv[2:]))"
    )
    command = [sys.executable, "-I", "-S", "-c", code, str(ADDONS), str(day.package)]
    done = subprocess.run(
        [*command, "--trust", str(day.world.vkey), "--json"], capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == Exit.VERIFIED, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_the_oldest_python_is_among_those_tried() -> None:
    assert standalone.OLDEST == (3, 11)
    newer = [version for version in interpreters() if version >= standalone.OLDEST]
    assert newer


@pytest.mark.parametrize("minor", [11, 12, 13, 14])
def test_it_verifies_a_package_like_evidence_py_on_every_python(day: Day, script: Path, minor: int) -> None:
    python = interpreters().get((3, minor))
    if python is None:
        pytest.skip(f"Python 3.{minor} is not installed here")
    done = run(script, str(day.package), "--trust", str(day.world.vkey), "--json", python=python)
    assert done.returncode == Exit.VERIFIED, done.stderr
    assert json.loads(done.stdout) == without_libraries(day)


@pytest.mark.parametrize("minor", [8, 9, 10])
def test_an_older_python_is_told_so_in_one_line(script: Path, minor: int) -> None:
    python = interpreters().get((3, minor))
    if python is None:
        pytest.skip(f"Python 3.{minor} is not installed here")
    done = run(script, "package.zip", python=python)
    assert done.returncode == Exit.UNVERIFIABLE
    assert done.stderr == f"verify.py needs Python 3.11 or newer; this is 3.{minor}\n"


def test_the_exit_codes_are_those_of_evidence_py(day: Day, copy: Path, script: Path, tmp_path: Path) -> None:
    assert run(script, str(day.package)).returncode == Exit.UNVERIFIABLE
    assert run(script, "--nonsense").returncode == Exit.USAGE
    assert run(script, str(tmp_path / "nothing.zip")).returncode == Exit.UNVERIFIABLE
    broken = bytearray(copy.read_bytes())
    broken[len(broken) // 3] ^= 1
    copy.write_bytes(broken)
    assert run(script, str(copy), "--trust", str(day.world.vkey)).returncode == Exit.TAMPERED


def test_what_it_cannot_do_without_libraries_is_not_checked_by_name(day: Day, script: Path) -> None:
    done = run(script, str(day.package), "--trust", str(day.world.vkey), "--json")
    steps = {step["id"]: step for step in json.loads(done.stdout)["steps"]}
    assert steps["V12"]["result"] == "not checked"
    assert "Jinja2" in steps["V12"]["sentence"]
    assert "YAML" in steps["V10"]["sentence"]


def test_nothing_installed_is_imported_and_no_bytecode_is_left(day: Day, script: Path, tmp_path: Path) -> None:
    # The .venv that runs these tests has holdfast, Jinja2, PyYAML and cryptography on its path.
    probe = f"""
import runpy, sys
sys.argv = ["verify.py", {str(day.package)!r}, "--trust", {str(day.world.vkey)!r}]
before = set(sys.modules)
try:
    runpy.run_path({str(script)!r}, run_name="__main__")
except SystemExit as end:
    assert end.code == 0, end.code
new = {{name for name in set(sys.modules) - before if sys.modules[name] is not None}}
ours = {{name for name in new if name.split(".")[0] == "holdfast"}}
assert ours and all(sys.modules[name].__file__.startswith("verify.py: ") for name in ours), ours
assert not {{name.split(".")[0] for name in new - ours}} - sys.stdlib_module_names, new - ours
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(script.parent.iterdir()) == [script]


def test_the_same_source_gives_the_same_file_and_every_module_is_in_it_as_it_is() -> None:
    made = standalone.source()
    standalone.source.cache_clear()
    assert made == standalone.source()
    namespace: dict[str, str] = {}
    tree = ast.parse(made)
    for node in tree.body:
        match node:
            case ast.Assign(
                targets=[ast.Subscript(slice=ast.Constant(value=str(module)))], value=ast.Constant(value=str(body))
            ):
                namespace[module] = body
            case _:
                pass
    assert {"holdfast.evidence.checking.alone", "holdfast.evidence.verify", "holdfast.ledger.tree"} <= namespace.keys()
    for name, text in namespace.items():
        path = ADDONS.joinpath(*name.split("."))
        source = (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text("utf-8")
        assert _without_aliases(text) == _without_aliases(source), name


def _without_aliases(text: str) -> list[str]:
    """The lines that are no part of a `type` statement, as either file spells it."""
    lines = re.sub(r"^(\w+) = object\n((?:# .*\n)+)", _as_statement, text, flags=re.MULTILINE)
    return lines.splitlines()


def _as_statement(found: re.Match[str]) -> str:
    return re.sub(r"^# ", "", found[2], flags=re.MULTILINE)


def test_no_part_of_the_gateway_is_in_it() -> None:
    made = standalone.source().decode()
    names = set(re.findall(r"^MODULES\['([\w.]+)'\]", made, re.MULTILINE))
    for part in ("proxy", "masking", "identity", "gate", "capture", "policy"):
        assert not {name for name in names if name.startswith(f"holdfast.{part}")}
    assert "holdfast.ledger.keys" not in names


def test_a_module_that_needs_more_than_the_standard_library_is_refused_with_the_way_to_it() -> None:
    bundle = standalone._Bundle()
    with pytest.raises(EvidenceError, match=r"holdfast\.ledger\.keys imports cryptography"):
        bundle.add("holdfast.ledger.keys")


def test_syntax_that_the_oldest_python_lacks_is_refused_with_its_line() -> None:
    with pytest.raises(EvidenceError, match=r"a\.module, line 2: Type parameter"):
        standalone._rewritten("a.module", "x = 1\ndef f[T](x: T) -> T: ...\n")
    rewritten = standalone._rewritten("a.module", "type A = (\n    int | str\n)\nb = 1\n")
    assert rewritten == "A = object\n# type A = (\n#     int | str\n# )\nb = 1\n"
