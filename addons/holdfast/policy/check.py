"""Everything that can be said about a folder of rule files before a gateway loads it."""

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from holdfast.errors import MaskingError, RulesError
from holdfast.identity.rules import parse_identity
from holdfast.masking.entries import MaskingRules
from holdfast.masking.prefilter import AT_ONCE
from holdfast.masking.profiles import FOLDER, Profiles
from holdfast.masking.rules import parse_every_rule
from holdfast.policy.access import parse_access
from holdfast.policy.beside import Beside
from holdfast.policy.budgets import parse_budgets
from holdfast.policy.document import Section, parse_document, read_source, require_version
from holdfast.policy.examples import Proven, check_each, check_examples
from holdfast.policy.holding import parse_approval
from holdfast.policy.ruleset import OPTIONAL_NAMES, read_witnesses
from holdfast.policy.servers import parse_servers
from holdfast.policy.tools import check_tools, parse_tools
from holdfast.retention.rules import parse_retention


@dataclasses.dataclass(frozen=True, slots=True)
class FileReport:
    """One rule file: what is in it, and what is wrong with it, each with file, line and remedy."""

    file: str
    counted: str
    failures: tuple[str, ...] = ()

    def line(self) -> str:
        """One line for a terminal."""
        return f"{self.file}: {self.counted}" + (f", {len(self.failures)} wrong" if self.failures else ", all well")


type Prove = Callable[[Section, Path], FileReport | Iterator[FileReport]]


def check_directory(directory: Path) -> Iterator[FileReport]:
    """A report on each of the files, whatever is wrong with the others; on an optional one where it is there."""
    for name, prove in _FILES.items():
        if name in OPTIONAL_NAMES and not (directory / name).exists():
            continue
        try:
            section = parse_document(read_source(directory / name))
            require_version(section)
            reports = prove(section, directory)
            yield from (reports,) if isinstance(reports, FileReport) else reports
        except (RulesError, MaskingError) as error:
            yield FileReport(name, "cannot be loaded", (str(error),))


def _report(file: str, proven: Proven) -> FileReport:
    counted = f"{proven.rules_count} rules, {proven.examples_count} examples"
    return FileReport(file, counted, tuple(map(str, proven.failures)))


def _identity(section: Section, _directory: Path) -> FileReport:
    rules = parse_identity(section)
    return FileReport(section.file, f"{len(rules.issuers)} issuers, {len(rules.proxies)} proxies")


def _access(section: Section, _directory: Path) -> FileReport:
    return _report(section.file, check_examples(parse_access(section), section.file))


def _approval(section: Section, _directory: Path) -> FileReport:
    return _report(section.file, check_examples(parse_approval(section), section.file))


def _masking(section: Section, directory: Path) -> Iterator[FileReport]:
    """The file itself, those that it includes, and every profile, whether in use or not."""
    from holdfast.masking import examples  # noqa: PLC0415 -- loads Presidio, which takes seconds

    beside = Beside(directory)
    rules = parse_every_rule(section, beside)
    proving = examples.rules_that_prove(rules)
    problems = examples.check_examples(rules, AT_ONCE)
    for file in (section.file, *(source.name for source in beside.sources if not source.name.startswith(FOLDER))):
        own = [rule for rule in proving if rule.file == file]
        count = len(own) + (len(rules.paths) + len(rules.overrides) if file == section.file else 0)
        shown = sum(len(rule.examples.matches) + len(rule.examples.passes) for rule in own)
        failures = tuple(f"{problem}. Correct the rule or the example" for problem in problems if problem.file == file)
        yield FileReport(file, f"{count} rules, {shown} examples", failures)
    for path in sorted((directory / FOLDER).glob("*.yaml")):
        yield _profile(f"{FOLDER}/{path.name}", rules, beside)


def _profile(file: str, rules: MaskingRules, beside: Beside) -> FileReport:
    try:
        profile = Profiles(rules.listed, beside).parse(Path(file).stem, beside.read(file))
    except RulesError as error:
        return FileReport(file, "cannot be loaded", (str(error),))
    return FileReport(file, f"{len(profile.entities)} entities")


def _servers(section: Section, _directory: Path) -> FileReport:
    servers = parse_servers(section)
    return FileReport(section.file, f"{len(servers)} servers, {sum(len(server.paths) for server in servers)} paths")


def _witnesses(section: Section, directory: Path) -> FileReport:
    rules, roots = read_witnesses(directory, section)
    counted = f"{len(rules.witnesses)} witnesses, {len(rules.timestamps)} time stamps, {len(roots)} files of roots"
    return FileReport(section.file, counted)


def _retention(section: Section, _directory: Path) -> FileReport:
    policy = parse_retention(section)
    return FileReport(section.file, f"{len(policy.rules)} rules, {len(policy.legal_holds)} legal holds")


def _budgets(section: Section, _directory: Path) -> FileReport:
    return _report(section.file, check_each(parse_budgets(section).rules, section.file))


def _tools(section: Section, _directory: Path) -> FileReport:
    return _report(section.file, check_tools(parse_tools(section), section.file))


_FILES: Final[dict[str, Prove]] = {
    "identity.yaml": _identity,
    "access.yaml": _access,
    "masking.yaml": _masking,
    "approval.yaml": _approval,
    "servers.yaml": _servers,
    "witnesses.yaml": _witnesses,
    "retention.yaml": _retention,
    "budgets.yaml": _budgets,
    "tools.yaml": _tools,
}
