"""Every option, command and rule key is documented, and what is documented exists."""

import ast
import re
from collections.abc import Iterator

import pytest
from tests.repo.tree import ROOT, calls, modules, texts

SCRIPTS = sorted(path.name for path in (ROOT / "scripts").glob("*.py") if path.name != "setup_env.py")


def document(name: str) -> str:
    return texts()[f"docs/{name}"]


def first_column(text: str) -> set[str]:
    """What stands in backquotes in the first column of the tables of ``text``."""
    cells = re.findall(r"^\| ([^|]+) \|", text, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^` ]+)[^`]*`", cell)}


def declared_options() -> set[str]:
    """Every text in the proxy package that is the name of an option of ours."""
    constants = (node for tree in modules("addons/holdfast/proxy/").values() for node in ast.walk(tree))
    texts_found = {node.value for node in constants if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return {text for text in texts_found if re.fullmatch(r"holdfast_[a-z_]+", text)}


def declared_arguments() -> dict[str, set[str]]:
    """Option, subcommand or positional argument -> the files of user commands that declare it with argparse."""
    found: dict[str, set[str]] = {}
    for path, tree in modules("addons/", *(f"scripts/{name}" for name in SCRIPTS)).items():
        if "argparse" not in texts()[path]:
            continue
        names = {name for _, name in calls(tree, "add_argument", "add_parser")}
        # Also where a method was given a shorter name: add("--method", ...).
        constants = (node.args[0] for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
        names |= {str(one.value) for one in constants if isinstance(one, ast.Constant) and _is_option(one.value)}
        for name in names:
            found.setdefault(name, set()).add(path)
    return found


def _is_option(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch(r"--[a-z][a-z-]*", value) is not None


def pinned_options() -> set[str]:
    """Options of mitmproxy that the guard pins or sets."""
    tree = modules("addons/holdfast/proxy/guard.py")["addons/holdfast/proxy/guard.py"]
    tables = (node for node in tree.body if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict))
    keys = (key for node in tables if isinstance(node.value, ast.Dict) for key in node.value.keys)
    return {str(key.value) for key in keys if isinstance(key, ast.Constant)}


def gateway_commands() -> set[str]:
    """mitmproxy commands that the proxy package adds."""
    trees = modules("addons/holdfast/proxy/").values()
    return {name for tree in trees for _, name in calls(tree, "command") if name.startswith("holdfast.")}


def section_getters() -> set[str]:
    """The methods of Section that ask for a key of a rule file."""
    tree = modules("addons/holdfast/policy/document.py")["addons/holdfast/policy/document.py"]
    section = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Section")
    functions = [node for node in section.body if isinstance(node, ast.FunctionDef)]
    return {node.name for node in functions if [argument.arg for argument in node.args.args][1:2] == ["key"]}


def rule_keys() -> set[str]:
    """Every key that a parser of rule files asks for by a literal name."""
    return {
        key
        for path, tree in modules("addons/").items()
        if path != "addons/holdfast/policy/document.py" and _imports_section(tree)
        for key in _keys(tree)
    }


def _imports_section(tree: ast.Module) -> bool:
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    return any(node.module == "holdfast.policy.document" for node in imports)


def _keys(tree: ast.Module) -> Iterator[str]:
    yield from (key for _, key in calls(tree, *section_getters()) if re.fullmatch(r"[a-z][a-z_]*", key))


def test_every_option_is_documented_and_every_documented_option_exists() -> None:
    documented = {name for name in first_column(document("options.md")) if name.startswith("holdfast_")}
    assert documented == declared_options()


def test_every_option_of_mitmproxy_that_is_pinned_is_documented_with_its_reason() -> None:
    page = document("options.md")
    assert pinned_options()
    assert {name for name in pinned_options() if f"`{name}`" not in page} == set()


def test_every_mitmproxy_command_of_ours_is_documented() -> None:
    assert gateway_commands()
    assert {name for name in gateway_commands() if f"`{name}" not in document("options.md")} == set()


def test_every_argument_of_every_command_is_documented() -> None:
    page = document("commands.md")
    missing = {
        name: paths for name, paths in declared_arguments().items() if not re.search(rf"(?<![\w-]){name}\b", page)
    }
    assert missing == {}


def test_every_argument_in_the_documentation_exists() -> None:
    known = set(declared_arguments()) | {"--help", "--set", "--mode"}
    named = {(path, option) for path in ("docs/commands.md", "README.md") for option in _options_in(texts()[path])}
    assert {(path, option) for path, option in named if option not in known} == set()


def _options_in(text: str) -> set[str]:
    """The long options on those lines of ``text`` that name a script of ours."""
    lines = [line for line in text.splitlines() if "scripts/" in line or line.startswith("| `--")]
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", "\n".join(lines)))


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_command_has_a_section(script: str) -> None:
    assert re.search(rf"^## `scripts/{re.escape(script)}`$", document("commands.md"), re.MULTILINE)


def test_every_key_of_the_rule_files_is_documented() -> None:
    pages = "\n".join(text for path, text in texts().items() if re.fullmatch(r"docs/[a-z]+\.md", path))
    documented = set(re.findall(r"`([a-z_]+)[:`]", pages))
    assert rule_keys() - documented == set()


def test_every_key_in_the_tables_of_keys_is_known_to_a_parser() -> None:
    constants = {
        node.value
        for tree in modules("addons/").values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    tables = [
        table
        for path, text in texts().items()
        if path.startswith("docs/")
        for table in re.findall(r"^\| key\b[^\n]*\n(?:\|[^\n]*\n)+", text, re.MULTILINE)
    ]
    assert tables
    assert {key for table in tables for key in first_column(table.partition("\n")[2])} - constants == set()


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{path}: {target}"
        for path, text in texts().items()
        if path.endswith(".md")
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
        if "://" not in target and not ((ROOT / path).parent / target).exists()
    ]
    assert broken == []


def test_every_document_is_in_the_index() -> None:
    index = document("index.md")
    pages = [path.removeprefix("docs/") for path in texts() if path.startswith("docs/") and path.endswith(".md")]
    assert [page for page in pages if page != "index.md" and f"]({page})" not in index] == []


def test_every_path_that_the_readme_names_exists() -> None:
    # The threat table says which test shows what: a test that moved must move there too.
    paths = re.findall(r"`((?:addons|scripts|tests|rules|docs)/[\w./-]*)`", texts()["README.md"])
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_changelog_has_a_section_for_this_version() -> None:
    version = modules("addons/holdfast/__init__.py")["addons/holdfast/__init__.py"].body[-1]
    assert isinstance(version, ast.Assign)
    assert f"## [{ast.literal_eval(version.value)}]" in texts()["CHANGELOG.md"]
