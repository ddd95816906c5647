"""The rule files together: read, parsed and frozen, or not loaded at all."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Final

from holdfast import jsontext
from holdfast.identity.rules import IdentityRules, parse_identity
from holdfast.masking.rules import MaskingRules, parse_masking
from holdfast.policy.access import AccessRules, parse_access
from holdfast.policy.beside import Beside
from holdfast.policy.budgets import BudgetRules, parse_budgets
from holdfast.policy.document import Section, Source, parse_document, read_source, require_version
from holdfast.policy.holding import ApprovalRules, parse_approval
from holdfast.policy.servers import Server, parse_servers
from holdfast.policy.tools import ToolRules, parse_tools
from holdfast.retention.rules import Retention, parse_retention
from holdfast.witness.rules import WitnessRules, parse_witnesses

FILE_NAMES: Final = ("identity.yaml", "access.yaml", "masking.yaml", "approval.yaml")
# Without them: one server, nobody outside vouches, no payload is pruned, no calls are counted, and every definition is
# pinned as it comes.
OPTIONAL_NAMES: Final = ("servers.yaml", "witnesses.yaml", "retention.yaml", "budgets.yaml", "tools.yaml")


@dataclasses.dataclass(frozen=True, slots=True)
class Ruleset:
    """Every rule in force. ``digest_hex`` names it in Records; ``sources`` are the bytes that it was read from.

    ``servers`` is empty where there is the one of the options.
    """

    identity: IdentityRules
    access: AccessRules
    masking: MaskingRules
    approval: ApprovalRules
    servers: tuple[Server, ...]
    witnesses: WitnessRules
    retention: Retention | None
    budgets: BudgetRules
    tools: ToolRules
    sources: tuple[Source, ...]
    digest_hex: str


def load_ruleset(directory: Path) -> Ruleset:
    """The rules in the files of ``directory``: four that must be there, optional ones, and what they name.

    Raises:
        RulesError: a file is missing or wrong; names file, line and key. Nothing is loaded then.
    """
    present = [name for name in OPTIONAL_NAMES if (directory / name).exists()]
    sources = tuple(read_source(directory / name) for name in (*FILE_NAMES, *present))
    sections = {source.name: _parse(source) for source in sources}
    identity, access, masking, approval = (sections[name] for name in FILE_NAMES)
    beside = Beside(directory)
    masking_rules = parse_masking(masking, beside)
    servers = sections.get("servers.yaml")
    witnesses, roots = read_witnesses(directory, sections.get("witnesses.yaml"))
    retention, budgets = sections.get("retention.yaml"), sections.get("budgets.yaml")
    tools = sections.get("tools.yaml")
    return Ruleset(
        identity=parse_identity(identity),
        access=parse_access(access),
        masking=masking_rules,
        approval=parse_approval(approval),
        servers=parse_servers(servers) if servers is not None else (),
        witnesses=witnesses,
        retention=parse_retention(retention) if retention is not None else None,
        budgets=parse_budgets(budgets) if budgets is not None else BudgetRules(),
        tools=parse_tools(tools) if tools is not None else ToolRules(),
        sources=(*sources, *beside.sources, *roots),
        digest_hex=digest_of((*sources, *beside.sources, *roots)),
    )


def load_witnesses(directory: Path) -> WitnessRules:
    """The rules about witnesses alone, for whoever has them vouch without being a gateway.

    Raises:
        RulesError: the file is there and wrong.
    """
    path = directory / "witnesses.yaml"
    section = _parse(read_source(path)) if path.exists() else None
    return read_witnesses(directory, section)[0]


def load_servers(directory: Path) -> tuple[Server, ...]:
    """The servers that the rules name, without their credentials.

    Raises:
        RulesError: the file is there and wrong.
    """
    path = directory / "servers.yaml"
    return parse_servers(_parse(read_source(path))) if path.exists() else ()


def read_witnesses(directory: Path, section: Section | None) -> tuple[WitnessRules, tuple[Source, ...]]:
    """The rules about witnesses with the certificates they name, and the files that those were read from.

    Raises:
        RulesError: the rules or a certificate file are wrong.
    """
    if section is None:
        return WitnessRules(), ()
    rules = parse_witnesses(section)
    names = sorted({stamp.roots for stamp in rules.timestamps})
    roots = tuple(read_source(directory / name) for name in names)
    return rules.with_roots(roots), roots


def _parse(source: Source) -> Section:
    section = parse_document(source)
    require_version(section)
    return section


def digest_of(sources: tuple[Source, ...]) -> str:
    """SHA-256, in hex, of the canonical JSON ``{file name: sha256 hex of its bytes}``."""
    return jsontext.digest_hex({source.name: hashlib.sha256(source.data).hexdigest() for source in sources})
