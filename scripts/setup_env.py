"""Set up `.venv`: the locked packages, checked by hash, and Holdfast itself on the path.

Run by the Makefile with a Python that `find_python.sh` found; needs nothing but the standard library. The order is what
makes an interrupted set-up harmless: remove the stamp, build anew, write the stamp last. The stamp names everything the
environment was built from, so a changed lock, another Python or a moved folder builds it again, and nothing else does.
"""

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
INTERRUPTED: Final = 130  # what a shell answers for a program that Ctrl-C ended


class SetupError(Exception):
    """The environment could not be built; the message says what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Build the environment unless it is ready. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Set up .venv from requirements.lock.")
    parser.add_argument(
        "--ready", action="store_true", help="only say by the exit code whether .venv is ready (0) or not"
    )
    ready_only: bool = parser.parse_args(arguments).ready
    if ready_only:
        return 0 if is_ready(ROOT) else 1
    try:
        set_up(ROOT)
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("set-up: interrupted; the next make starts it again.", file=sys.stderr)
        return INTERRUPTED
    return 0


def stamp_path(root: Path) -> Path:
    """Where the stamp of a finished set-up lies."""
    return root / ".venv" / "holdfast-setup"


def stamp_text(root: Path, python_version: str) -> str:
    """All that the environment below ``root`` depends on, as text."""
    lock_hex = hashlib.sha256((root / "requirements.lock").read_bytes()).hexdigest()
    return f"python {python_version}\nlock sha256:{lock_hex}\nfolder {root}\n"


def is_ready(root: Path) -> bool:
    """Whether `.venv` was finished for this lock, this folder and the Python that runs this very line.

    Ask it with `.venv`'s own Python: a removed or upgraded base interpreter then answers no.
    """
    try:
        return stamp_path(root).read_text("utf-8") == stamp_text(root, platform.python_version())
    except OSError:
        return False


def set_up(root: Path) -> None:
    """Build `.venv` below ``root``, one process at a time.

    Raises:
        SetupError: the environment cannot be made or a package cannot be installed.
    """
    folder = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)  # released when the process ends, however it ends
        if not _ready_by_its_own_python(root):
            _build(root)
    finally:
        os.close(folder)


def _ready_by_its_own_python(root: Path) -> bool:
    python = root / ".venv" / "bin" / "python"
    script = root / "scripts" / "setup_env.py"
    if not python.exists():
        return False
    return subprocess.run([python, "-I", script, "--ready"], check=False, capture_output=True).returncode == 0


def _build(root: Path) -> None:
    venv = root / ".venv"
    lock = root / "requirements.lock"
    version = platform.python_version()
    print(f"Setting up .venv with Python {version} and the locked packages (about a minute) ...", file=sys.stderr)
    stamp_path(root).unlink(missing_ok=True)
    if venv.is_symlink():
        venv.unlink()
    elif venv.exists():
        shutil.rmtree(venv)
    _run([sys.executable, "-I", "-m", "venv", venv], "no virtual environment could be made")
    python = venv / "bin" / "python"
    _install(python, lock)
    _write_path_file(root)
    _run([python, "-I", "-c", "import holdfast"], "Holdfast does not import from addons/")
    _write_stamp(root, version)
    print("Set up.", file=sys.stderr)


def _install(python: Path, lock: Path) -> None:
    # Wheels only: a source package would run a build with packages that no hash here covers.
    options = [
        "--require-hashes",
        "--no-deps",
        "--only-binary=:all:",
        "--no-input",
        "--disable-pip-version-check",
        "-qq",
    ]
    _run(
        [python, "-I", "-m", "pip", "install", *options, "-r", lock],
        "the locked packages could not be installed, for the reason above (no network, or no wheel for this system?)",
    )


def _write_path_file(root: Path) -> None:
    venv = root / ".venv"
    packages = Path(sysconfig.get_path("purelib", scheme="venv", vars={"base": str(venv)}))
    # A relative line is read from the folder of the .pth file, whatever characters the way to it has.
    addons = os.path.relpath(root / "addons", packages)
    (packages / "holdfast.pth").write_text(f"{addons}\n", "utf-8")


def _write_stamp(root: Path, version: str) -> None:
    stamp = stamp_path(root)
    draft = stamp.with_suffix(".new")
    draft.write_text(stamp_text(root, version), "utf-8")
    draft.replace(stamp)


def _run(command: list[str | Path], problem: str) -> None:
    if subprocess.run(command, check=False, stdin=subprocess.DEVNULL).returncode != 0:
        raise SetupError(f"{problem}. The next make starts it again.")


if __name__ == "__main__":
    sys.exit(main())
