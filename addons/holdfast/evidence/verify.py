"""Verify a package: twelve steps, each with a result and a sentence; the first thing that is wrong is named.

Needs the standard library and the modules that state the formats; neither a proxy nor a masking engine. Where Jinja2,
a YAML reader or OpenSSL's bindings are missing, it says what it could not do, or takes longer.
"""

import dataclasses
import enum
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Literal

from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence import steps_approval, steps_content, steps_ledger
from holdfast.evidence.case import Case, NotCheckedError
from holdfast.evidence.container import NotAPackageError, Package
from holdfast.evidence.scope import Scope, parse_scope
from holdfast.jsontext import JsonObject
from holdfast.ledger import ed25519, note

type Result = Literal["pass", "fail", "not checked"]


class Exit(enum.IntEnum):
    """What a verifier's exit code says."""

    VERIFIED = 0
    TAMPERED = 1
    UNVERIFIABLE = 2
    USAGE = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One step: its id, what it checks, how it went, and a sentence."""

    id: str
    title: str
    result: Result
    sentence: str


@dataclasses.dataclass(frozen=True, slots=True)
class Verification:
    """The outcome. ``is_trusted`` says whether the key came from outside the package."""

    exit: Exit
    headline: str
    steps: tuple[Step, ...]
    scope: Scope | None
    is_trusted: bool

    def as_json(self) -> JsonObject:
        """For programs."""
        scope: JsonObject | None = None
        if self.scope is not None:
            scope = {
                "origin": self.scope.origin,
                "first": self.scope.start.size,
                "size": self.scope.end.size,
                "root": self.scope.end.root_text,
            }
        return {
            "exit": int(self.exit),
            "result": self.exit.name.lower(),
            "headline": self.headline,
            "trusted_key": self.is_trusted,
            "scope": scope,
            "steps": [
                {"id": step.id, "title": step.title, "result": step.result, "sentence": step.sentence}
                for step in self.steps
            ],
            "not_proven": [*NOT_PROVEN],
        }


NOT_PROVEN: Final = (
    "that no traffic went past the gateway",
    "that the gateway told the truth when it wrote",
    "that what no outside holder of a checkpoint has seen was not rewritten by whoever has the ledger's key",
    "that masking found everything",
    "that an approver understood what they approved",
    "that any law or standard is complied with",
)

_STEPS: Final[tuple[tuple[str, str, Callable[[Case], str]], ...]] = (
    ("V1", "files and manifest", steps_ledger.files),
    ("V2", "checkpoints at both ends", steps_ledger.ends),
    ("V3", "what came before", steps_ledger.range_start),
    ("V4", "every Record", steps_ledger.entries),
    ("V5", "checkpoints in between", steps_ledger.checkpoints),
    ("V6", "time and witnesses", steps_ledger.time),
    ("V7", "form, clocks, heartbeats", steps_ledger.records),
    ("V8", "every call has its end", steps_content.endings),
    ("V9", "masked payloads", steps_content.contents),
    ("V10", "rules in force", steps_content.rules),
    ("V11", "approvals", steps_approval.approvals),
    ("V12", "report and tables", steps_content.reports),
)


def fastest_verify() -> note.Verify:
    """OpenSSL's Ed25519 where its bindings are installed, else our own; both answer alike."""
    try:
        from holdfast.ledger.keys import verify_signature  # noqa: PLC0415 -- a verifier may have no OpenSSL bindings
    except ImportError:
        return ed25519.verify
    return verify_signature


def verify(path: Path, trusted: Sequence[note.VerifierKey] | None) -> Verification:
    """Verify the package at ``path``. Raises nothing for what is wrong with the package: that is the result.

    Args:
        path: the file.
        trusted: ledger keys from outside the package; None checks the package against itself only.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        try:
            package = Package(file)
            scope = parse_scope(package.read("AuditInfo.json"))
            key = _key(package, scope, trusted)
        except NotAPackageError as error:
            return Verification(Exit.UNVERIFIABLE, f"cannot be verified: {error}", (), None, trusted is not None)
        except EvidenceError as error:
            step = Step("V1", "files and manifest", "fail", str(error))
            return Verification(Exit.TAMPERED, f"V1: {error}", (step,), None, trusted is not None)
        case = Case(package, scope, key, fastest_verify())
        steps = tuple(_run(case, *step) for step in _STEPS)
    return _conclude(steps, scope, is_trusted=trusted is not None)


def _key(package: Package, scope: Scope, trusted: Sequence[note.VerifierKey] | None) -> note.VerifierKey:
    if trusted is not None:
        for key in trusted:
            if key.name == scope.origin:
                return key
        names = ", ".join(key.name for key in trusted)
        raise EvidenceError(f"AuditInfo.json: the package is of the ledger {scope.origin}; you trust {names}")
    try:
        return note.parse_vkey(package.read("trust/log.vkey").decode("utf-8", "replace").removesuffix("\n"))
    except LedgerError as error:
        raise EvidenceError(f"trust/log.vkey: {error}") from None


def _run(case: Case, step_id: str, title: str, step: Callable[[Case], str]) -> Step:
    try:
        return Step(step_id, title, "pass", step(case))
    except NotCheckedError as reason:
        return Step(step_id, title, "not checked", str(reason))
    except EvidenceError as error:
        return Step(step_id, title, "fail", str(error))


def _conclude(steps: tuple[Step, ...], scope: Scope, *, is_trusted: bool) -> Verification:
    failed = next((step for step in steps if step.result == "fail"), None)
    if failed is not None:
        return Verification(Exit.TAMPERED, f"{failed.id}: {failed.sentence}", steps, scope, is_trusted)
    records = f"Records {scope.start.size} to {scope.end.size - 1} of {scope.origin}"
    if not is_trusted:
        headline = f"self-consistent: {records}; not verified, because no key from outside the package was given"
        return Verification(Exit.UNVERIFIABLE, headline, steps, scope, is_trusted)
    return Verification(Exit.VERIFIED, f"verified: {records}", steps, scope, is_trusted)
