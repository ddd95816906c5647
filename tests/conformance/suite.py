"""The suite by others, set up in `.conformance`: how it is run, and what it has found."""

import collections
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from scripts.apart.folder import ROOT, Apart, SetupError

APART: Final = Apart("conformance", ROOT / "tests" / "conformance", ("package-lock.json",))
_ENTRY: Final = APART.folder / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
NODE_MIN: Final = 22  # the suite calls fs.globSync
RUN_S: Final = 300  # one era takes about a quarter of a minute
_FOLDER: Final = re.compile(r"server-(?P<scenario>.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z")
# An INFO is a remark about how something came, such as one for every event; how many there are is a matter of timing.
_JUDGED: Final = frozenset({"SUCCESS", "FAILURE", "WARNING", "SKIPPED"})

# Of each scenario: how often each check ended how.
type Checks = collections.Counter[tuple[str, str]]
type Findings = dict[str, Checks]


def set_up() -> None:
    """Install the suite and its Node, unless they are there.

    Raises:
        SetupError: there is no npm, or the packages cannot be had.
    """
    npm = shutil.which("npm")
    if npm is None and not APART.is_ready():
        raise SetupError("npm is needed to install the conformance suite")
    APART.set_up(lambda: APART.install_npm(npm or ""), "the conformance suite of MCP (half a minute)")


def node() -> str:
    """A Node that is new enough: the pinned one where there is one for this machine, else the one on the PATH.

    Raises:
        SetupError: there is none.
    """
    pinned = sorted((APART.folder / "node_modules").glob("node-*/bin/node"))
    found = str(pinned[0]) if pinned else shutil.which("node")
    if found is None:
        raise SetupError(f"Node {NODE_MIN} or newer is needed to run the conformance suite")
    said = subprocess.run([found, "--version"], check=True, capture_output=True, text=True).stdout
    if int(said.strip().removeprefix("v").partition(".")[0]) < NODE_MIN:
        raise SetupError(f"Node {NODE_MIN} or newer is needed to run the conformance suite; this is {said.strip()}")
    return found


def run(url: str, version: str, folder: Path) -> Findings:
    """Let the suite try the server at ``url`` with all it has for protocol ``version``; its files go to ``folder``.

    Raises:
        SetupError: it did not come to its end.
    """
    command = [node(), str(_ENTRY), "server", "--url", url, "--requirements", version, "-o", str(folder)]
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.txt").open("wb") as log:
        try:
            subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=RUN_S)
        except subprocess.TimeoutExpired:
            raise SetupError(f"the suite did not end within {RUN_S} s; see {folder}") from None
    found = read(folder)
    if not found:
        raise SetupError(f"the suite tried nothing; see {folder / 'log.txt'}")
    return found


def read(folder: Path) -> Findings:
    """What the suite has written to ``folder``."""
    found: Findings = {}
    for path in sorted(folder.glob("*/checks.json")):
        name = _FOLDER.fullmatch(path.parent.name)
        if name is not None:
            checks = json.loads(path.read_text("utf-8"))
            judged = [(str(check["id"]), str(check["status"])) for check in checks if check["status"] in _JUDGED]
            found[name["scenario"]] = collections.Counter(judged)
    return found
