"""The four rule files together: read, parsed and frozen, or not loaded at all."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Final

from holdfast import jsontext
from holdfast.identity.rules import IdentityRules, parse_identity
from holdfast.masking.rules import MaskingRules, parse_masking
from holdfast.policy.access import AccessRules, parse_access
from holdfast.policy.document import Source, parse_document, read_source, require_version
from holdfast.policy.holding import ApprovalRules, parse_approval

FILE_NAMES: Final = ("identity.yaml", "access.yaml", "masking.yaml", "approval.yaml")


@dataclasses.dataclass(frozen=True, slots=True)
class Ruleset:
    """Every rule in force. ``digest_hex`` names it in Records; ``sources`` are the bytes that it was read from."""

    identity: IdentityRules
    access: AccessRules
    masking: MaskingRules
    approval: ApprovalRules
    sources: tuple[Source, ...]
    digest_hex: str


def load_ruleset(directory: Path) -> Ruleset:
    """The rules in the four files of ``directory``.

    Raises:
        RulesError: a file is missing or wrong; names file, line and key. Nothing is loaded then.
    """
    sources = tuple(read_source(directory / name) for name in FILE_NAMES)
    sections = [parse_document(source) for source in sources]
    for section in sections:
        require_version(section)
    identity, access, masking, approval = sections
    return Ruleset(
        identity=parse_identity(identity),
        access=parse_access(access),
        masking=parse_masking(masking),
        approval=parse_approval(approval),
        sources=sources,
        digest_hex=digest_of(sources),
    )


def digest_of(sources: tuple[Source, ...]) -> str:
    """SHA-256, in hex, of the canonical JSON ``{file name: sha256 hex of its bytes}``."""
    return jsontext.digest_hex({source.name: hashlib.sha256(source.data).hexdigest() for source in sources})
