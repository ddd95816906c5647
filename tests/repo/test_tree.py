"""What every file of the repository keeps to."""

import ast
import functools
import re

import pytest
from tests.repo.tree import ROOT, modules, texts

FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
NESTING_MAX = 3
# Written so that no expression matches this file.
REGISTRY_HOSTS = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.npmjs|deb\.debian\.org|proxy\.golang\.org|crates\.io"
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}])/(?:home|Users|root|work|farm|opt/wheels)/[\w.-]")
UNFINISHED = re.compile(r"\b(?:TO{1}DO|FIX{1}ME|X{3})\b|raise NotImplemented{1}Error|mock\.{1}patch|Magic{1}Mock")


BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
APART = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MAY_HOLD_BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)  # no expression does; most nodes are expressions


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}"
        for path, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_package_registry() -> None:
    assert lines_with(REGISTRY_HOSTS) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert lines_with(MACHINE_PATHS) == []


def test_no_code_is_left_unfinished_or_patched_under_test() -> None:
    assert [line for line in lines_with(UNFINISHED) if line.split(":")[0].endswith(".py")] == []


def test_only_the_proxy_package_and_the_table_of_contents_import_mitmproxy() -> None:
    importers = {path for path, tree in modules("addons/").items() if "mitmproxy" in imported(tree)}
    assert {path for path in importers if not path.startswith("addons/holdfast/proxy/")} <= {"addons/gateway.py"}


def test_checking_evidence_imports_neither_the_proxy_nor_presidio() -> None:
    tree = modules("addons/holdfast/evidence/verify.py")
    assert tree
    for path, module in tree.items():
        assert not imported(module) & {"mitmproxy", "presidio_analyzer", "spacy"}, path


def test_only_the_clock_reads_the_time() -> None:
    # The proxy package stamps mitmproxy's own flows, which nothing is judged by.
    readers = [
        f"{path}:{node.lineno}"
        for path, tree in modules("addons/").items()
        if path != "addons/holdfast/clock.py" and not path.startswith("addons/holdfast/proxy/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in {"time", "now"}
        and ast.unparse(node) in {"time.time", "datetime.now", "datetime.datetime.now"}
    ]
    assert readers == []


def test_files_have_at_most_300_lines() -> None:
    sizes = {
        path: text.count("\n") for path, text in texts().items() if path.endswith((".py", ".sh", ".css", ".js", ".sql"))
    }
    assert {path: size for path, size in sizes.items() if size > FILE_LINES_MAX} == {}


def test_functions_have_at_most_50_lines() -> None:
    sizes = {
        f"{path}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1 for path, node in functions()
    }
    assert {name: size for name, size in sizes.items() if size > FUNCTION_LINES_MAX} == {}


def test_functions_nest_at_most_three_levels() -> None:
    depths = {f"{path}:{node.lineno} {node.name}": depth(node) for path, node in functions()}
    assert {name: deep for name, deep in depths.items() if deep > NESTING_MAX} == {}


@pytest.mark.parametrize("path", ["README.md", "CHANGELOG.md", "SECURITY.md", "LICENSE", "docs/index.md"])
def test_the_papers_of_the_project_are_there(path: str) -> None:
    assert (ROOT / path).read_text("utf-8").strip()


def imported(tree: ast.Module) -> set[str]:
    """The top-level names of every package that ``tree`` imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                names.update(alias.name.split(".")[0] for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module.split(".")[0])
            case _:
                pass
    return names


@functools.cache
def functions() -> tuple[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef], ...]:
    return tuple(
        (path, node)
        for path, tree in modules("addons/", "scripts/", "tests/").items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )


def depth(node: ast.AST) -> int:
    """How deep blocks stand within blocks below ``node``; functions within it are judged on their own."""
    deepest = 0
    for child in ast.iter_child_nodes(node):
        if isinstance(child, APART) or not isinstance(child, MAY_HOLD_BLOCKS):
            continue
        # `elif` is an If in the orelse of an If: the same level to a reader.
        chained = isinstance(node, ast.If) and isinstance(child, ast.If) and node.orelse == [child]
        deepest = max(deepest, depth(child) + (isinstance(child, BLOCKS) and not chained))
    return deepest
