"""The rules of the demo: the ones we ship, plus the three lines that every operator has to write.

Access and masking stay as shipped, byte for byte. What is added says whom the gateway believes, who may approve, and
that exports wait for a few seconds only, so that the demo can show how a Hold expires.
"""

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any, Final

from scripts.demo_world.processes import ROOT

SHIPPED: Final = ROOT / "rules"
EXPIRES_S: Final = 5  # the Hold that nobody decides; short, so that the demo does not bore
USERS: Final = "mcp-users"  # the groups that the shipped rules speak of
APPROVERS: Final = "mcp-approvers"
DENYING_RULE: Final = "dangerous-tools"
HOLDING_RULE: Final = "destructive-names"

_EXPORTS: Final = f"""\
- id: demo-exports
  description: Whole exports wait for a person, but not for long.
  method: tools/call
  name: export_customers
  approver_groups: [{APPROVERS}]
  wait_s: {EXPIRES_S}
  expires_s: {EXPIRES_S}
  matches:
    - {{name: export_customers, arguments: {{purpose: newsletter}}}}
  passes:
    - {{name: get_customer}}
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Trust:
    """Whom the demo's gateway believes. ``approver`` is what ``approve.py enroll --json`` printed, None for nobody."""

    issuer: str
    audience: str
    approver: dict[str, Any] | None = None


def write_rules(directory: Path, trust: Trust) -> None:
    """Write the four rule files of the demo to ``directory``.

    Raises:
        ValueError: a shipped file has no list of the name that is to be extended.
    """
    shutil.copytree(SHIPPED, directory)
    _extend(directory / "identity.yaml", "issuers", _issuer(trust))
    _extend(directory / "approval.yaml", "rules", _EXPORTS)
    if trust.approver is not None:
        # JSON is YAML, so the entry goes in as it was printed.
        _extend(directory / "approval.yaml", "approvers", f"- {json.dumps(trust.approver)}\n")


def _issuer(trust: Trust) -> str:
    return (
        f"- id: demo\n  issuer: {trust.issuer}\n  discovery: true\n  audiences: [{trust.audience}]\n"
        "  algorithms: [RS256, ES256]\n"
    )


def _extend(path: Path, key: str, entries: str) -> None:
    path.write_text(extended(path.read_text("utf-8"), key, entries), "utf-8")


def extended(text: str, key: str, entries: str) -> str:
    """``text`` with ``entries`` at the head of its top-level list ``key``; a comment may follow the key.

    Raises:
        ValueError: there is no such list.
    """
    head = re.search(rf"^{re.escape(key)}:[ ]*(\[\])?[ ]*(#.*)?$\n?", text, re.MULTILINE)
    if head is None:
        raise ValueError(f"no list {key} in the shipped rules")
    first = re.match(r"(?:[ ]*(?:#.*)?\n)*([ ]*)- ", text[head.end() :])
    indent = first[1] if first and not head[1] else "  "
    block = "".join(f"{indent}{line}\n" for line in entries.splitlines())
    return f"{text[: head.start()]}{key}:\n{block}{text[head.end() :]}"
