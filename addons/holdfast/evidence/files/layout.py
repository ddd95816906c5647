"""Every name that a file of a package may have: what stands under no other name cannot be overlooked."""

import re
from typing import Final

_PATTERNS: Final = (
    r"README\.html|evidence_manifest\.html|AuditInfo\.json|CONTROLS\.csv|MANIFEST\.dsse\.json|SHA256SUMS(\.sig)?",
    r"VERIFY\.md|verify\.py",
    r"trust/(log\.vkey|log\.pub\.pem|allowed_signers|policy\.tlog-policy|tsa-roots\.pem|approvers\.json|fingerprints\.txt)",
    r"ledger/(checkpoint\.start|checkpoint\.end|range-start\.txt|withheld\.txt|checkpoints\.txt)",
    r"ledger/entries-[0-9]{12}\.jsonl\.gz",
    r"ledger/consistency/[0-9]+-[0-9]+\.txt",
    r"ledger/timestamps/[0-9]{12}-[A-Za-z0-9][A-Za-z0-9._-]*\.tsr",
    r"ledger/(rotations|later)/[0-9]{12}(\.json|\.tlog-proof)",
    r"ledger/tiles/tile/[0-9]+/(x[0-9]{3}/)*[0-9]{3}(\.p/[0-9]+)?",
    r"payloads/payloads-[0-9]{12}\.jsonl\.gz",
    r"objects/[0-9a-f]{64}",
    r"approvals/H-[A-Z2-7]{10}/(view\.txt|decision-[0-9]+\.dsse\.json)",
    r"samples/(selection\.json|[0-9]+(\.json|\.tlog-proof))",
    r"reports/(index|(0[1-9]|1[01])-[a-z-]+)\.(csv|html)",
    r"controls/[a-z0-9-]+\.json",
    r"siem/ocsf\.jsonl\.gz",
)
_NAME: Final = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS))


def is_known(name: str) -> bool:
    """Whether ``name`` is one of the layout."""
    return _NAME.fullmatch(name) is not None
