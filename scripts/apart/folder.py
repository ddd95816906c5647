"""A folder of programs by others that is built once, from files that name versions and hashes.

The stamp in it names everything it was built from, and is written last: a changed lock, another Python or a moved
folder builds it again, an interrupted set-up too, and nothing else does.
"""

import dataclasses
import hashlib
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_NPM_FILES: Final = ("package.json", "package-lock.json")


class SetupError(Exception):
    """It could not be built; the message says which part."""


@dataclasses.dataclass(frozen=True, slots=True)
class Apart:
    """The folder `.NAME` below the root; ``built_from`` are names of files in ``sources``."""

    name: str
    sources: Path
    built_from: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is."""
        return ROOT / f".{self.name}"

    @property
    def _stamp(self) -> Path:
        return self.folder / "ready"

    def stamp_text(self) -> str:
        """All that the folder is built from, as text."""
        digests = (hashlib.sha256((self.sources / name).read_bytes()).hexdigest() for name in self.built_from)
        return "\n".join([f"python {platform.python_version()}", f"folder {ROOT}", *digests, ""])

    def is_ready(self) -> bool:
        """Whether the folder was finished, from the files that are here now."""
        try:
            return self._stamp.read_text("utf-8") == self.stamp_text()
        except OSError:
            return False

    def set_up(self, build: Callable[[], None], what: str) -> None:
        """Build the folder unless it is ready. ``build`` finds it absent; ``what`` says what a person waits for.

        Raises:
            SetupError: a part of it cannot be had.
        """
        if self.is_ready():
            return
        print(f"Setting up .{self.name} with {what} ...", file=sys.stderr)
        if self.folder.is_symlink():
            self.folder.unlink()
        elif self.folder.exists():
            shutil.rmtree(self.folder)
        build()
        draft = self._stamp.with_suffix(".new")
        draft.write_text(self.stamp_text(), "utf-8")
        draft.replace(self._stamp)
        print("Set up.", file=sys.stderr)

    def install_npm(self, npm: str) -> None:
        """Install the packages of `package-lock.json` into the folder with the program ``npm``.

        Raises:
            SetupError: they cannot be had.
        """
        self.folder.mkdir(exist_ok=True)
        for name in _NPM_FILES:
            shutil.copy(self.sources / name, self.folder)
        options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        command = [npm, "ci", "--prefix", str(self.folder), *options]
        self.run(command, "the pinned npm packages could not be installed (no network?)")

    def run(self, command: list[str], problem: str, environment: dict[str, str] | None = None) -> None:
        """Run a step of the set-up.

        Raises:
            SetupError: it failed; the message is ``problem``.
        """
        done = subprocess.run(
            command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment
        )
        if done.returncode != 0:
            raise SetupError(f"{problem}. The next make {self.name} starts it again.")
