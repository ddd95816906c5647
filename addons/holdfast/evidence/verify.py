"""Verify a package: thirteen steps, each with a result and a sentence; the first thing that is wrong is named.

Needs the standard library and the modules that state the formats; neither a proxy nor a masking engine. Where Jinja2,
a YAML reader or OpenSSL's bindings are missing, it says what it could not do, or takes longer.
"""

import contextlib
import dataclasses
import enum
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

from holdfast import __version__
from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.checking import steps_content, steps_derived, steps_ledger, steps_time
from holdfast.evidence.checking.case import Case, NotCheckedError, UnmetError
from holdfast.evidence.checking.steps_approval import Approvals
from holdfast.evidence.checking.steps_records import Endings, Forms, gaps_text
from holdfast.evidence.checking.trusting import Trust, ring_of
from holdfast.evidence.checking.walk import Walk, Watcher
from holdfast.evidence.files.container import NotAPackageError, Package
from holdfast.evidence.files.scope import Scope, parse_scope
from holdfast.evidence.making.meter import Meter
from holdfast.evidence.siem import apart
from holdfast.evidence.story.notebook import Notebook
from holdfast.evidence.story.story import Story
from holdfast.jsontext import JsonObject
from holdfast.ledger import ed25519, note
from holdfast.ledger.keyring import KeyRing

ROTATIONS: Final = "ledger/rotations/"

type Result = Literal["pass", "fail", "not checked"]


class Exit(enum.IntEnum):
    """What a verifier's exit code says."""

    VERIFIED = 0
    TAMPERED = 1
    UNVERIFIABLE = 2
    USAGE = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One step: its id, what it checks, how it went, and a sentence.

    ``is_unmet``: the verifier's own trust file asks for something that is not there, or it takes another version.
    """

    id: str
    title: str
    result: Result
    sentence: str
    is_unmet: bool = False


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
                "withheld": self.scope.withheld_count,
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
    "that the gateway told the truth when it wrote: whoever controls its machine could have it lie",
    "that Records of the tamper window, for which nobody outside vouches, were not rewritten with the ledger's key",
    "that witnesses and gateway are not run by the same people",
    "that masking found everything",
    "that an approver understood what they approved",
    "anything about what withheld Records and erased payloads say",
    "that any law or standard is complied with",
)


def fastest_verify() -> note.Verify:
    """OpenSSL's Ed25519 where its bindings are installed, else our own; both answer alike."""
    try:
        from holdfast.ledger.signatures import verify_signature  # noqa: PLC0415 -- a verifier may have no OpenSSL bindings
    except ImportError:
        return ed25519.verify
    return verify_signature


def verify(path: Path, trusted: Trust | Sequence[note.VerifierKey] | None, meter: Meter | None = None) -> Verification:
    """Verify the package at ``path``. Raises nothing for what is wrong with the package: that is the result.

    Args:
        path: the file.
        trusted: whom the verifier trusts, from outside the package; None checks the package against itself only.
        meter: told what goes on.

    Raises:
        OSError: the file cannot be read.
    """
    trust = trusted if isinstance(trusted, Trust) or trusted is None else Trust(tuple(trusted))
    with path.open("rb") as file:
        try:
            package = Package(file)
            scope = parse_scope(package.read("AuditInfo.json"))
            check = fastest_verify()
            ring = _ring(package, scope, trust, check)
        except NotAPackageError as error:
            return Verification(Exit.UNVERIFIABLE, f"cannot be verified: {error}", (), None, trust is not None)
        except EvidenceError as error:
            step = Step("V1", "files and manifest", "fail", str(error))
            return Verification(Exit.TAMPERED, f"V1: {error}", (step,), None, trust is not None)
        case = Case(package, scope, ring, trust, check, meter or Meter())
        # Of another version nothing is made again, so nothing can be made by a second process.
        events_count = scope.end.size - scope.start.size if scope.built_with == __version__ else 0
        with Notebook() as book, apart.started(events_count) as other:
            steps = tuple(_Steps(case, book, other).run())
    return _conclude(steps, scope, is_trusted=trust is not None)


def _ring(package: Package, scope: Scope, trust: Trust | None, check: note.Verify) -> KeyRing:
    files = {name.removeprefix(ROTATIONS): package.read(name) for name in package.names() if name.startswith(ROTATIONS)}
    if trust is not None:
        return ring_of(files, trust.keys, scope.origin, check)
    try:
        own = note.parse_vkey(package.read("trust/log.vkey").decode("utf-8", "replace").removesuffix("\n"))
    except LedgerError as error:
        raise EvidenceError(f"trust/log.vkey: {error}") from None
    return ring_of(files, [own], scope.origin, check)


class _Steps:
    """The steps in their order. Those that look at Records share one walk, which comes after V3."""

    def __init__(self, case: Case, book: Notebook, other: apart.Apart | None) -> None:
        self._case: Final = case
        self._contents: Final = steps_content.Contents(case)
        self._forms: Final = Forms(case)
        self._telling: Final = steps_derived.Telling(case, book, other)
        self._watchers: Final[dict[str, Watcher]] = {
            "V7": self._forms,
            "V8": Endings(case),
            "V9": self._contents,
            "V10": steps_content.RulesInForce(case),
            "V11": Approvals(case),
            "V12": self._telling,
        }
        self._book: Final = book
        self._story: Story | None = None

    def run(self) -> Iterator[Step]:
        """Every step, as it is done."""
        case = self._case
        yield _done("V1", "files and manifest", lambda: steps_ledger.files(case))
        yield _done("V2", "checkpoints at both ends", lambda: steps_ledger.ends(case))
        yield _done("V3", "what came before", lambda: steps_ledger.range_start(case))
        walk = Walk(case, self._watchers)
        self._contents.walk = walk
        try:
            walk.run(steps_ledger.frontier(case))
        except EvidenceError as error:
            walk.give_up(error)
        yield _done("V4", "every Record", lambda: steps_ledger.entries(case, walk))
        yield _done("V5", "checkpoints in between", lambda: steps_ledger.checkpoints(case, walk))
        yield _done("V6", "time and witnesses", lambda: steps_time.time(case, self._told(walk)))
        yield _done("V7", "form, clocks, heartbeats", lambda: self._form(walk))
        yield _done("V8", "every call has its end", lambda: walk.conclude("V8", self._watchers["V8"]))
        yield _done("V9", "masked payloads", lambda: walk.conclude("V9", self._contents))
        yield _done("V10", "rules in force", lambda: walk.conclude("V10", self._watchers["V10"]))
        yield _done("V11", "approvals", lambda: walk.conclude("V11", self._watchers["V11"]))
        yield _done("V12", "reports and tables", lambda: self._derived(walk))
        yield _done("V13", "samples", lambda: steps_content.drawn(case, self._contents.shown))

    def _told(self, walk: Walk) -> Story:
        if "V12" in walk.faults:
            raise walk.faults["V12"]
        if self._story is None:
            # What is wrong with them, V9 says.
            with contextlib.suppress(EvidenceError):
                for entry in self._contents.later():
                    self._telling.teller.add_later(entry)
            self._telling.teller.finish()
            self._story = Story(self._book, self._telling.teller.counts)
        return self._story

    def _form(self, walk: Walk) -> str:
        return f"{walk.conclude('V7', self._forms)}; {gaps_text(self._told(walk))}"

    def _derived(self, walk: Walk) -> str:
        return steps_derived.derived(self._case, self._told(walk), self._telling)


def _done(step_id: str, title: str, step: Callable[[], str]) -> Step:
    try:
        return Step(step_id, title, "pass", step())
    except UnmetError as reason:
        return Step(step_id, title, "not checked", str(reason), is_unmet=True)
    except NotCheckedError as reason:
        return Step(step_id, title, "not checked", str(reason))
    except (EvidenceError, LedgerError) as error:
        return Step(step_id, title, "fail", str(error))


def _conclude(steps: tuple[Step, ...], scope: Scope, *, is_trusted: bool) -> Verification:
    failed = next((step for step in steps if step.result == "fail"), None)
    if failed is not None:
        return Verification(Exit.TAMPERED, f"{failed.id}: {failed.sentence}", steps, scope, is_trusted)
    records = f"Records {scope.start.size} to {scope.end.size - 1} of {scope.origin}"
    if scope.withheld_count:
        records += f", {scope.withheld_count} of them withheld"
    if not is_trusted:
        headline = f"self-consistent: {records}; not verified, because no key from outside the package was given"
        return Verification(Exit.UNVERIFIABLE, headline, steps, scope, is_trusted)
    unmet = next((step for step in steps if step.is_unmet), None)
    if unmet is not None:
        return Verification(Exit.UNVERIFIABLE, f"{unmet.id}: {unmet.sentence}", steps, scope, is_trusted)
    return Verification(Exit.VERIFIED, f"verified: {records}", steps, scope, is_trusted)
