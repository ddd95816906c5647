#!/usr/bin/env python3
"""Set up `.clients`: MCP clients and servers that nobody here wrote, pinned by hash. For tests, and to try them.

`make clients` runs it. They live apart from `.venv`, and in two Python environments, since the first Python SDK of MCP
and the second cannot be in one: `one` and `two`, from tests/clients/requirements-*.txt. The npm packages of
tests/clients/package-lock.json bring the Node along that they need.
"""

import argparse
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.apart.folder import Apart, SetupError

SOURCES: Final = ROOT / "tests" / "clients"
ENVIRONMENTS: Final = ("one", "two")
APART: Final = Apart("clients", SOURCES, ("requirements-one.txt", "requirements-two.txt", "package-lock.json"))
MODULES: Final = APART.folder / "node_modules"


def main(arguments: list[str] | None = None) -> int:
    """Build `.clients` unless it is ready. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Set up .clients: MCP clients and servers by others, for tests.")
    parser.add_argument("--ready", action="store_true", help="only say by the exit code whether .clients is ready (0)")
    options = parser.parse_args(arguments)
    if options.ready:
        return 0 if APART.is_ready() else 1
    try:
        APART.set_up(_build, "MCP clients and servers by others (a minute)")
    except SetupError as error:
        print(f"clients: {error}", file=sys.stderr)
        return 1
    return 0


def python(environment: str) -> Path:
    """The Python of ``environment``, one of :data:`ENVIRONMENTS`; its programs lie beside it."""
    return APART.folder / environment / "bin" / "python"


def node() -> Path:
    """The Node that came with the npm packages."""
    found = sorted(MODULES.glob("node-linux-*/bin/node"))
    return found[0] if found else MODULES / "no-node-for-this-machine"


def _build() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise SetupError("there is no npm here, and half of the clients need it")
    APART.folder.mkdir()
    with ThreadPoolExecutor() as pool:  # each waits for the network most of the time
        parts = [pool.submit(APART.install_npm, npm), *(pool.submit(_build_python, name) for name in ENVIRONMENTS)]
        for part in parts:
            part.result()


def _build_python(name: str) -> None:
    folder, lock = str(APART.folder / name), f"requirements-{name}.txt"
    APART.run([sys.executable, "-I", "-m", "venv", "--without-pip", folder], "no virtual environment could be made")
    # The pip of .venv installs for another Python: two copies of it less, and one that is known to work here.
    pip = [sys.executable, "-I", "-m", "pip", "--python", str(python(name)), "install", "--require-hashes", "--no-deps"]
    options = ["--only-binary=:all:", "--no-input", "--no-compile", "--disable-pip-version-check", "-qq"]
    problem = f"the pinned Python packages of {lock} could not be installed (no network?)"
    APART.run([*pip, *options, "-r", str(SOURCES / lock)], problem)


if __name__ == "__main__":
    sys.exit(main())
