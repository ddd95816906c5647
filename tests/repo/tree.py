"""The files of this repository, as the tests about it see them."""

import ast
import fnmatch
import functools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_NEW: Final = ("--cached", "--others", "--exclude-standard")  # a new file is judged before it is committed


@functools.cache
def files() -> tuple[Path, ...]:
    """Every tracked or new file; in a tree without git (a release's archive), every file that .gitignore leaves."""
    git = shutil.which("git")
    if git and (ROOT / ".git").exists():
        command = [git, "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z", *_NEW]
        listed = subprocess.run(command, capture_output=True, check=False).stdout.decode()
        if tracked := [ROOT / name for name in listed.split("\0") if name]:
            return tuple(path for path in tracked if path.is_file())
    return tuple(sorted(_walk()))


def _walk() -> Iterator[Path]:
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").split()] + [".git"]

    def kept(name: str) -> bool:
        return not any(fnmatch.fnmatch(name, pattern) for pattern in ignored)

    for folder, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if kept(name)]
        yield from (Path(folder) / name for name in names if kept(name))


@functools.cache
def texts() -> dict[str, str]:
    """Path below the root -> text, of every file that is UTF-8."""
    found = {}
    for path in files():
        try:
            found[path.relative_to(ROOT).as_posix()] = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
    return found


@functools.cache
def modules(*prefixes: str) -> dict[str, ast.Module]:
    """Path below the root -> syntax tree, of every Python file whose path begins with one of ``prefixes``."""
    return {
        path: _parsed(path) for path in texts() if path.endswith(".py") and (not prefixes or path.startswith(prefixes))
    }


@functools.cache
def _parsed(path: str) -> ast.Module:
    return ast.parse(texts()[path])


def calls(tree: ast.AST, *names: str) -> Iterator[tuple[ast.Call, str]]:
    """Every call below ``tree`` of a method in ``names`` whose first argument is a text, with that text."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in names:
            continue
        first = node.args[0] if node.args else None
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield node, first.value
