"""The trust files about outsiders: a C2SP tlog-policy and time-stamping certificates, from the rules in force.

They are in the package for convenience: whoever verifies brings their own, since a sender could put anything here.
"""

from collections.abc import Callable
from typing import Final

from holdfast.errors import EvidenceError, RulesError
from holdfast.evidence.making.period import Survey
from holdfast.policy.document import Source, parse_document, require_version
from holdfast.witness.rules import WitnessRules, parse_witnesses

POLICY_FILE: Final = "trust/policy.tlog-policy"
ROOTS_FILE: Final = "trust/tsa-roots.pem"
RULES_FILE: Final = "witnesses.yaml"

type Objects = Callable[[str], tuple[str, bytes] | None]


def trust_of(surveyed: Survey, objects: Objects) -> tuple[bytes, bytes]:
    """The policy and the certificates that the last rules of the range make.

    Raises:
        EvidenceError: the rules in force do not parse.
    """
    files = next(reversed(surveyed.rules.values()), {})
    kept = objects(files.get(RULES_FILE, ""))
    try:
        rules = _parse(kept[1]) if kept else WitnessRules()
    except RulesError as error:
        raise EvidenceError(f"the rules in force do not parse: {error}") from None
    names = sorted({stamp.roots for stamp in rules.timestamps})
    roots = [found[1] for name in names if (found := objects(files.get(name, ""))) is not None]
    return rules.policy(*surveyed.ring.keys).to_text().encode("utf-8", "surrogateescape"), b"".join(roots)


def _parse(data: bytes) -> WitnessRules:
    section = parse_document(Source(RULES_FILE, data))
    require_version(section)
    return parse_witnesses(section)
