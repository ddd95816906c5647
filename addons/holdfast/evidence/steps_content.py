"""Steps V8 to V10 and V12: endings, payloads, rules, and the reports made again. Each returns a sentence or raises."""

import hashlib

from holdfast import __version__, jsontext
from holdfast.errors import EvidenceError
from holdfast.evidence import enrolment, payloads
from holdfast.evidence.case import Case, NotCheckedError
from holdfast.evidence.derived import PAGE_FILE, Material, derive_page, derive_tables
from holdfast.evidence.entry import Entry
from holdfast.evidence.reading import call_fact


def endings(case: Case) -> str:
    """V8: every Call that went out has a Reply or a recorded reason why not."""
    calls: dict[int, Entry] = {}
    open_calls: dict[int, str] = {}
    served_boots: dict[str, int] = {}
    before = 0
    for entry in case.entries():
        if entry.typ == "call":
            calls[entry.index] = entry
            served_boots[entry.text("boot")] = entry.index
            if call_fact(entry).ending == "open":
                open_calls[entry.index] = entry.text("boot")
        elif entry.typ in {"reply", "call.lost"}:
            ended = _ended(entry, calls, case.scope.start.size)
            before += ended is None
            open_calls.pop(-1 if ended is None else ended, None)
    for index, boot in open_calls.items():
        # A process that starts again accounts for what the last one left, before it serves the next Call.
        later = [other for other, last in served_boots.items() if other != boot and last > index]
        if later:
            raise EvidenceError(f"record {index}: this call has no reply and no recorded reason why not")
    tail = f"; still unanswered at the end: records {_few(open_calls)}" if open_calls else ""
    earlier = f"; {before} replies belong to calls before the range" if before else ""
    return f"{len(calls)} calls are accounted for{tail}{earlier}"


def _few(indices: dict[int, str]) -> str:
    shown = ", ".join(str(index) for index in list(indices)[:5])
    return shown if len(indices) <= 5 else f"{shown} and {len(indices) - 5} more"  # noqa: PLR2004 -- a line's worth


def _ended(entry: Entry, calls: dict[int, Entry], start: int) -> int | None:
    for index in entry.refs():
        if index in calls:
            if entry.text("call") and calls[index].text("call") != entry.text("call"):
                raise EvidenceError(f"record {entry.index}: refers to record {index}, which is another call")
            return index
        if index >= start and entry.typ == "reply":
            raise EvidenceError(f"record {entry.index}: refers to record {index}, which is no call")
    return None


def contents(case: Case) -> str:
    """V9: every masked payload is the one that its Record committed to."""
    erased = 0
    names: set[str] = set()
    for commitment in case.sizes:
        erased += case.payload(commitment) is None
        names.add(payloads.file_name(commitment))
    for name in case.package.names():
        if name.startswith("payloads/") and name not in names:
            raise EvidenceError(f"{name}: no Record commits to it")
    return f"{len(case.sizes) - erased} payloads open their commitments; {erased} were erased and cannot be shown"


def rules(case: Case) -> str:
    """V10: the rules in force are in the package under their digests, and each change names what it replaced."""
    for digest_hex, files in case.scope.rules.items():
        _check_ruleset(case, digest_hex, files)
    known_before = case.scope.start.size > 0
    loaded: set[str] = set()
    previous = ""
    for entry in case.entries():
        digest_hex = entry.text("rules")
        if entry.typ == "rules.loaded":
            _check_loaded(case, entry, previous)
            loaded.add(digest_hex)
            previous = digest_hex
            continue
        is_known = not digest_hex or digest_hex in loaded or (known_before and digest_hex in case.scope.rules)
        # A start names the rules that it is about to load.
        if not is_known and not entry.typ.startswith("ledger."):
            raise EvidenceError(f"record {entry.index}: names rules that were never loaded")
    _check_objects(case)
    missing = [item for item in _options(case) if f"objects/{item}" not in case.package]
    options = "; the options in force are not in the package" if missing else ""
    return f"{len(case.scope.rules)} rule sets are here, byte for byte{options}{_check_enrolment(case)}"


def _check_ruleset(case: Case, digest_hex: str, files: dict[str, str]) -> None:
    if jsontext.digest_hex(dict(files)) != digest_hex:
        raise EvidenceError(f"AuditInfo.json: the files of rule set {digest_hex:.16} do not have that digest")
    for name, file_digest in files.items():
        if f"objects/{file_digest}" not in case.package:
            raise EvidenceError(f"objects/{file_digest}: missing; it is {name} of rule set {digest_hex:.16}")


def _check_loaded(case: Case, entry: Entry, previous: str) -> None:
    digest_hex, stated = entry.text("rules"), entry.text("previous")
    if case.scope.rules.get(digest_hex) != entry.member("files"):
        raise EvidenceError(f"record {entry.index}: loads other rules than AuditInfo.json has under that digest")
    if previous and stated and stated != previous:
        raise EvidenceError(f"record {entry.index}: says that it replaced other rules than those loaded before it")


def _check_objects(case: Case) -> None:
    wanted = {digest for files in case.scope.rules.values() for digest in files.values()} | _options(case)
    for name in case.package.names():
        if not name.startswith("objects/"):
            continue
        digest_hex = name.removeprefix("objects/")
        if case.package.member(name).sha256_hex != digest_hex:
            raise EvidenceError(f"{name}: its bytes have another digest than its name")
        if digest_hex not in wanted:
            raise EvidenceError(f"{name}: no Record names it")


def _options(case: Case) -> set[str]:
    return {digest for entry in case.entries() if (digest := entry.text("gw", "config"))}


def _check_enrolment(case: Case) -> str:
    note = ""
    for digest_hex, listed in case.enrolments.items():
        source = _approval_rules(case, digest_hex)
        try:
            is_same = enrolment.read_rules(source) == listed
        except ImportError:
            is_same = all(person.public_key.encode() in source for person in listed.people)
            note = "; without a YAML reader only the approvers' keys were looked up in them"
        if not is_same:
            raise EvidenceError(f"{enrolment.FILE}: not the approvers of rule set {digest_hex:.16}")
    for digest_hex, files in case.scope.rules.items():
        if enrolment.RULES_FILE in files and digest_hex not in case.enrolments:
            raise EvidenceError(f"{enrolment.FILE}: lacks rule set {digest_hex:.16}")
    return note


def _approval_rules(case: Case, digest_hex: str) -> bytes:
    file_digest = case.scope.rules.get(digest_hex, {}).get(enrolment.RULES_FILE)
    if file_digest is None:
        raise EvidenceError(f"{enrolment.FILE}: names rule set {digest_hex:.16}, which is not in the package")
    return case.package.read(f"objects/{file_digest}")


def reports(case: Case) -> str:
    """V12: the report and every table, made again from the Records, are the same byte for byte."""
    if case.scope.built_with != __version__:
        raise NotCheckedError(
            f"made with Holdfast {case.scope.built_with}, and this is {__version__}: use that version"
        )
    material = Material(case.scope, case.entries, case.payload, case.marks)
    made: set[str] = set()
    for name, data in derive_tables(material, case.story):
        _compare(case, name, data)
        made.add(name)
    for name in case.package.names():
        if name.startswith(("reports/", "approvals/")) and name not in made:
            raise EvidenceError(f"{name}: does not follow from the Records")
    try:
        page = derive_page(material, case.story)
    except ImportError:
        raise NotCheckedError(
            f"{len(made)} tables and approvals are the same; {PAGE_FILE} was not made again: Jinja2 is not installed"
        ) from None
    _compare(case, PAGE_FILE, page)
    return f"{PAGE_FILE} and {len(made)} tables and approvals follow from the Records"


def _compare(case: Case, name: str, data: bytes) -> None:
    if case.package.read(name) != data:
        digest_hex = hashlib.sha256(data).hexdigest()
        raise EvidenceError(f"{name}: not what follows from the Records (expected SHA-256 {digest_hex:.16}…)")
