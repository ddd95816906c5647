"""Everything that can be said about a folder of rule files before a gateway loads it."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from holdfast.errors import MaskingError, RulesError
from holdfast.identity.rules import parse_identity
from holdfast.masking.rules import parse_masking
from holdfast.policy.access import parse_access
from holdfast.policy.document import Section, parse_document, read_source, require_version
from holdfast.policy.examples import Proven, check_examples
from holdfast.policy.holding import parse_approval


@dataclasses.dataclass(frozen=True, slots=True)
class FileReport:
    """One rule file: what is in it, and what is wrong with it, each with file, line and remedy."""

    file: str
    counted: str
    failures: tuple[str, ...] = ()

    def line(self) -> str:
        """One line for a terminal."""
        return f"{self.file}: {self.counted}" + (f", {len(self.failures)} wrong" if self.failures else ", all well")


type Prove = Callable[[Section], FileReport]


def check_directory(directory: Path) -> Iterator[FileReport]:
    """A report on each of the four files, whatever is wrong with the others."""
    for name, prove in _FILES.items():
        try:
            section = parse_document(read_source(directory / name))
            require_version(section)
            yield prove(section)
        except (RulesError, MaskingError) as error:
            yield FileReport(name, "cannot be loaded", (str(error),))


def _report(file: str, proven: Proven) -> FileReport:
    counted = f"{proven.rules_count} rules, {proven.examples_count} examples"
    return FileReport(file, counted, tuple(map(str, proven.failures)))


def _identity(section: Section) -> FileReport:
    rules = parse_identity(section)
    return FileReport(section.file, f"{len(rules.issuers)} issuers, {len(rules.proxies)} proxies")


def _access(section: Section) -> FileReport:
    return _report(section.file, check_examples(parse_access(section), section.file))


def _approval(section: Section) -> FileReport:
    return _report(section.file, check_examples(parse_approval(section), section.file))


def _masking(section: Section) -> FileReport:
    from holdfast.masking import examples  # noqa: PLC0415 -- loads Presidio, which takes seconds

    rules = parse_masking(section)
    listed: tuple[examples.Rule, ...] = (*rules.entities, *rules.patterns, *rules.keys, *rules.deny, *rules.allow)
    count = sum(len(rule.examples.matches) + len(rule.examples.passes) for rule in listed)
    failures = tuple(f"{problem}. Correct the rule or the example" for problem in examples.check_examples(rules))
    return FileReport(section.file, f"{len(listed) + len(rules.paths)} rules, {count} examples", failures)


_FILES: Final[dict[str, Prove]] = {
    "identity.yaml": _identity,
    "access.yaml": _access,
    "masking.yaml": _masking,
    "approval.yaml": _approval,
}
