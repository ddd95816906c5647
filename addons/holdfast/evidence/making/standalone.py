"""`verify.py`: the verifier as one readable file that a bare Python runs. Made from the modules themselves.

An auditor reads one file, runs it without installing anything, and can compare every module in it with Holdfast's
source. So the file holds the modules as they are, each under its name; only statements that Python 3.11 lacks are
rewritten. Which modules: all that the verifying command imports, found by following the imports. A module that needs
what the standard library lacks is left out where it is imported late, in a function: what it would have done is then
"not checked". Where the verifier cannot do without one, no file is made.
"""

import ast
import functools
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.errors import EvidenceError

ENTRY: Final = "holdfast.evidence.checking.alone"
FILE: Final = "verify.py"
OLDEST: Final = (3, 11)  # the oldest Python that gets security fixes at the end of 2026
_ROOT: Final = Path(__file__).resolve().parents[3]
_QUOTES: Final = "'" * 3
_MAKER: Final = "holdfast.evidence.making.standalone"  # what makes the file is no part of it

_HEAD: Final = '''\
#!/usr/bin/env python3
# -*- coding: utf-8 -*-
"""Verify an evidence package of Holdfast: python -I verify.py PACKAGE.zip --trust log.vkey [--json]

The key in log.vkey is to come from somebody other than the sender of the package, and so is this file, or its digest:
a verifier that comes with what it verifies can be made to say anything. It opens no network connection, reads the
package and the trust file, and needs Python {oldest} or newer and nothing else. Exit codes: 0 verified, 1 tampered,
2 cannot be verified, 3 wrong usage.

Below stand the modules of Holdfast {version} that it consists of, each as in the source, but for `type` statements,
which Python 3.11 lacks. They begin with {entry}; SHA-256 of each as it stands here:

{contents}
"""
import sys

if sys.version_info < {oldest_info}:
    sys.stderr.write("verify.py needs Python {oldest} or newer; this is %d.%d\\n" % sys.version_info[:2])
    sys.exit(2)

import importlib.machinery
import linecache

MODULES = {{}}
'''

_TAIL: Final = '''

class Finder:
    """Finds the modules above, the standard library, and nothing else: whatever else is installed is not asked."""

    def __init__(self, others):
        self.others = others

    def find_spec(self, name, path=None, target=None):
        """See importlib.abc.MetaPathFinder."""
        if name in MODULES:
            return importlib.machinery.ModuleSpec(name, self, is_package=name in PACKAGES)
        if not is_standard(name):
            return None
        specs = (finder.find_spec(name, path, target) for finder in self.others)
        return next((spec for spec in specs if spec is not None), None)

    def create_module(self, spec):
        """See importlib.abc.Loader."""
        return None

    def exec_module(self, module):
        """See importlib.abc.Loader."""
        name, source = module.__name__, MODULES[module.__name__]
        module.__file__ = "verify.py: %s" % name
        # So that a traceback, should there be one, shows the lines of the module.
        linecache.cache[module.__file__] = (len(source), None, source.splitlines(True), module.__file__)
        exec(compile(source, module.__file__, "exec", dont_inherit=True), module.__dict__)


def is_standard(name):
    """Whether a module is of the standard library, or this program."""
    return name.partition(".")[0] in sys.stdlib_module_names or name == "__main__"


def install():
    """Have the modules above imported, and nothing that is installed; for a second process too."""
    sys.dont_write_bytecode = True
    # What an installation imports at its start is not ours to use either.
    for name in [name for name in sys.modules if not is_standard(name)]:
        del sys.modules[name]
    sys.meta_path[:] = [Finder(list(sys.meta_path))]


def main():
    """Run the verifier."""
    install()
    from {entry} import run

    return run()


if __name__ == "__main__":
    sys.exit(main())
'''


@functools.cache
def source() -> bytes:
    """`verify.py`, the same bytes for the same source.

    Raises:
        EvidenceError: a module that the verifier cannot do without needs more than the standard library, or has syntax
            that Python 3.11 lacks.
    """
    from holdfast import __version__  # noqa: PLC0415 -- beside its one use

    bundle = _Bundle()
    bundle.add(ENTRY)
    texts = {name: _rewritten(name, bundle.sources[name]) for name in sorted(bundle.wanted)}
    contents = "\n".join(f"  {hashlib.sha256(text.encode()).hexdigest()}  {name}" for name, text in texts.items())
    oldest = ".".join(map(str, OLDEST))
    head = _HEAD.format(version=__version__, entry=ENTRY, contents=contents, oldest=oldest, oldest_info=OLDEST)
    bodies = "".join(f"\nMODULES[{name!r}] = r{_QUOTES}{text}{_QUOTES}\n" for name, text in texts.items())
    packages = sorted(name for name in texts if _is_package(name))
    listed = "".join(f"    {name!r},\n" for name in packages)
    return f"{head}{bodies}\nPACKAGES = {{\n{listed}}}\n{_TAIL.replace('{entry}', ENTRY)}".encode()


class _Bundle:
    """Modules by name, with what each needs."""

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}
        self.wanted: set[str] = set()
        self._needs: dict[str, tuple[set[str], set[str]]] = {}

    def add(self, name: str) -> None:
        """Take in ``name``, what it imports, and what it imports late and the standard library suffices for."""
        if name in self.wanted:
            return
        if (foreign := self._foreign(name)) is not None:
            raise EvidenceError(f"{FILE} cannot be made: {foreign}")
        self.wanted.add(name)
        always, late = self._of(name)
        parents = {name.rpartition(".")[0]} - {""}
        late = {one for one in late if one != _MAKER and self._foreign(one) is None}
        for other in sorted(always | parents | late):
            if _path(other) is not None:
                self.add(other)

    def _foreign(self, name: str) -> str | None:
        """The way to something outside the standard library that ``name`` cannot do without; None if there is none."""
        ways, queue = {name: name}, [name]
        for current in queue:
            is_ours = _path(current) is not None
            if current == _MAKER or not (is_ours or current.partition(".")[0] in sys.stdlib_module_names):
                return ways[current]
            new = sorted(self._of(current)[0] - ways.keys()) if is_ours else []
            ways |= {other: f"{ways[current]} imports {other}" for other in new}
            queue.extend(new)
        return None

    def _of(self, name: str) -> tuple[set[str], set[str]]:
        if name not in self._needs:
            path = _path(name)
            assert path is not None
            self.sources[name] = path.read_text("utf-8")
            tree = ast.parse(self.sources[name])
            always = set(_imports(tree.body))
            late = set(_imports([node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]))
            self._needs[name] = (always, late - always)
        return self._needs[name]


def _imports(nodes: list[ast.stmt] | list[ast.Import | ast.ImportFrom]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            # `from package import module`: the name may be a module of its own.
            yield from (name for alias in node.names if _path(name := f"{node.module}.{alias.name}") is not None)


@functools.cache
def _path(name: str) -> Path | None:
    """The file of a module of ours; None for any other."""
    if name.partition(".")[0] != "holdfast":
        return None
    base = _ROOT.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _is_package(name: str) -> bool:
    path = _path(name)
    return path is not None and path.name == "__init__.py"


def _rewritten(name: str, text: str) -> str:
    """``text`` with each `type X = ...` as an assignment: annotations are all they are for."""
    lines = text.split("\n")
    aliases = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.TypeAlias)]
    for node in sorted(aliases, key=lambda node: node.lineno, reverse=True):
        assert node.end_lineno is not None
        old = lines[node.lineno - 1 : node.end_lineno]
        lines[node.lineno - 1 : node.end_lineno] = [f"{node.name.id} = object", *(f"# {line}" for line in old)]
    rewritten = "\n".join(lines)
    try:
        ast.parse(rewritten, feature_version=OLDEST)
    except SyntaxError as error:
        raise EvidenceError(f"{FILE} cannot be made: {name}, line {error.lineno}: {error.msg}") from None
    if _QUOTES in rewritten or rewritten.endswith("\\"):
        raise EvidenceError(f"{FILE} cannot be made: {name} has three single quotes in a row")
    return rewritten
