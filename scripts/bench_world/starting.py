"""What it costs to have masking ready: a process of its own that builds the Masker, without and with kept automata."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]
_CHILD: Final = """
import json, os, resource, sys, time
from pathlib import Path
sys.path.insert(0, str(Path(sys.argv[1]) / "addons"))
from holdfast.masking.automata import Automata
from holdfast.masking.masker import Masker
from holdfast.masking.rules import parse_masking
from holdfast.policy.beside import Beside
from holdfast.policy.document import parse_document, read_source
path = Path(sys.argv[1]) / "rules" / "masking.yaml"
rules = parse_masking(parse_document(read_source(path)), Beside(path.parent))
def used_s():
    times = os.times()  # processes that compile are this one's children
    return times.user + times.system + times.children_user + times.children_system
imported_s = used_s()
masker = Masker(rules, bytes(32), None, Automata.beside(Path(sys.argv[2]), bytes(32)))
built_s = used_s() - imported_s
status = Path("/proc/self/status")  # getrusage has the most of the parent too, where the process was a copy of it
if status.exists():
    peak = next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)
said = {"import_s": imported_s, "build_s": built_s, "peak_mib": peak, "engine": masker.equipment().scan}
print(json.dumps(said))
"""


def measure() -> dict[str, dict[str, float | str]]:
    """Seconds of processor time for imports and for the Masker, and the most memory: first start and second."""
    with tempfile.TemporaryDirectory(prefix="holdfast-bench-") as folder:
        return {name: _start(folder) for name in ("first start", "second start")}


def table(starts: dict[str, dict[str, float | str]]) -> str:
    """The figures for people."""
    rows = [
        f"{name:>14}{float(one['import_s']):>11.2f}{float(one['build_s']):>11.2f}{float(one['peak_mib']):>10.0f}"
        for name, one in starts.items()
    ]
    return "\n".join([f"{'':>14}{'imports s':>11}{'Masker s':>11}{'MiB':>10}", *rows])


def _start(folder: str) -> dict[str, float | str]:
    command = [sys.executable, "-c", _CHILD, str(_ROOT), folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    said: dict[str, float | str] = json.loads(done.stdout)
    return said
