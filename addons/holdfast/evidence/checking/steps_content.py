"""Steps V9, V10 and V13: payloads, rules in force, samples."""

import array
from typing import Final

from holdfast import jsontext
from holdfast.errors import EvidenceError, LedgerError
from holdfast.evidence.checking.case import Case
from holdfast.evidence.checking.steps_ledger import hashes_in
from holdfast.evidence.checking.steps_records import not_seen
from holdfast.evidence.checking.walk import Payloads, Walk
from holdfast.evidence.files import enrolment, layout
from holdfast.evidence.files.entry import Entry, parse_entry
from holdfast.evidence.files.naming import objects_of
from holdfast.evidence.files.payloads import Erased
from holdfast.evidence.proofs import samples
from holdfast.ledger import tlogproof, tree

LATER: Final = "ledger/later/"


class Contents:
    """V9: every masked payload is the one that its Record committed to, or a Record says that it was erased."""

    def __init__(self, case: Case, walk: Walk | None = None) -> None:
        self.walk = walk
        self.shown: Final = array.array("Q")
        self._case: Final = case
        self._gone: Final[dict[str, tuple[int, int]]] = {}  # commitment: its Record, and the one that erased it
        self._count = self._hidden = 0

    def see(self, entry: Entry, payloads: Payloads) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        self.shown.append(entry.index)
        for member, payload in payloads.items():
            self._count += 1
            if isinstance(payload, Erased):
                self._gone[entry.text(member, "c")] = entry.index, payload.by_index
        if entry.typ == "payload.erased" and self._gone:
            self._erase(entry)

    def hide(self, _index: int) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        self._hidden += 1

    def later(self) -> list[Entry]:
        """The erasing Records after the range, proven to be in the ledger.

        Raises:
            EvidenceError: one is not.
        """
        names = (name for name in self._case.package.names() if name.startswith(LATER) and layout.is_known(name))
        return [_later(self._case, name) for name in names if name.endswith(".json")]

    def conclude(self) -> str:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        assert self.walk is not None
        self.walk.check_payloads()
        self._check_names()
        erased, after = len(self._gone), 0
        for entry in self.later():
            named = [c for c in entry.texts("erased") if self._gone.get(c, (0, -1))[1] == entry.index]
            if not named:
                raise EvidenceError(f"{LATER}{entry.index:012}.json: erases nothing of this package")
            after += len(named)
            for commitment in named:
                self._gone[commitment] = self._gone[commitment][0], -1
        for index, by_index in self._gone.values():
            if by_index >= 0:
                raise EvidenceError(f"record {index}: its payload is not here, and record {by_index} does not erase it")
        self._check_proofs()
        said = f"{self._count - erased} payloads open their commitments; {erased} were erased, as Records say"
        return said + (f" ({after} after the range)" if after else "") + not_seen(self._hidden)

    def _erase(self, entry: Entry) -> None:
        for commitment in entry.texts("erased"):
            index, by_index = self._gone.get(commitment, (0, -1))
            if by_index == entry.index:
                self._gone[commitment] = index, -1

    def _check_proofs(self) -> None:
        for name in self._case.package.names():
            is_half = name.startswith(LATER) and f"{name.partition('.')[0]}.json" not in self._case.package
            if is_half or (name.startswith("ledger/consistency/") and name not in self._case.proofs_read):
                raise EvidenceError(f"{name}: proves nothing about this package")

    def _check_names(self) -> None:
        known = self.walk.bundle_names if self.walk is not None else set()
        for name in self._case.package.names():
            if name.startswith("payloads/") and name not in known:
                raise EvidenceError(f"{name}: no Record commits to what is in it")


def _later(case: Case, name: str) -> Entry:
    stem = name.removeprefix(LATER).removesuffix(".json")
    data, index = case.package.read(name), int(stem)
    try:
        proof = tlogproof.parse(case.package.read(f"{LATER}{stem}{tlogproof.SUFFIX}"))
        checkpoint = tlogproof.verify(proof, tree.leaf_hash(data), case.ring, case.verify)
        end = case.scope.end
        path = hashes_in(case, f"ledger/consistency/{end.size}-{checkpoint.size}.txt")
        tree.verify_consistency(end.size, checkpoint.size, end.root, checkpoint.root, path)
    except LedgerError as error:
        raise EvidenceError(f"{name}: {error}") from None
    entry = parse_entry(index, data)
    if proof.index != index or index < case.scope.end.size or entry.typ != "payload.erased":
        raise EvidenceError(f"{name}: not a Record after the range that erases payloads")
    return entry


class RulesInForce:
    """V10: the rules in force are in the package under their digests, and each change names what it replaced."""

    def __init__(self, case: Case) -> None:
        self._case: Final = case
        self._known_before: Final = case.scope.start.size > 0
        self._loaded: Final[set[str]] = set()
        self._named: Final[set[str]] = set()
        self._seen: Final[set[str]] = set()  # rule sets that Records name
        self._previous = ""

    def see(self, entry: Entry, _payloads: Payloads) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        digest_hex = entry.text("rules")
        self._named.update(objects_of(entry))
        self._seen.add(digest_hex)
        if entry.typ == "rules.loaded":
            self._check_loaded(entry)
            self._loaded.add(digest_hex)
            self._previous = digest_hex
            return
        is_known = not digest_hex or digest_hex in self._loaded
        is_known = is_known or (self._known_before and digest_hex in self._case.scope.rules)
        # A start names the rules that it is about to load.
        if not is_known and not entry.typ.startswith("ledger."):
            raise EvidenceError(f"record {entry.index}: names rules that were never loaded")

    def hide(self, _index: int) -> None:
        """See :class:`holdfast.evidence.checking.walk.Watcher`: rules are never withheld."""

    def conclude(self) -> str:
        """See :class:`holdfast.evidence.checking.walk.Watcher`."""
        case = self._case
        for digest_hex, files in case.scope.rules.items():
            _check_ruleset(case, digest_hex, files)
        self._check_unloaded()
        self._check_objects()
        missing = sum(f"objects/{item}" not in case.package for item in self._named)
        note = f"; {missing} objects that Records name (options, definitions) are not in the package" if missing else ""
        return f"{len(case.scope.rules)} rule sets are here, byte for byte{note}{_check_enrolment(case)}"

    def _check_loaded(self, entry: Entry) -> None:
        digest_hex, stated = entry.text("rules"), entry.text("previous")
        if self._case.scope.rules.get(digest_hex) != entry.member("files"):
            raise EvidenceError(f"record {entry.index}: loads other rules than AuditInfo.json has under that digest")
        if self._previous and stated and stated != self._previous:
            raise EvidenceError(f"record {entry.index}: says that it replaced other rules than those loaded before it")

    def _check_unloaded(self) -> None:
        # What was in force at the start may be named by no Record; withheld Records may name others from before it.
        unnamed = self._case.scope.rules.keys() - self._loaded - self._seen
        permitted = len(unnamed) if self._case.scope.withheld_count else 1
        if len(unnamed) > (permitted if self._known_before else 0):
            raise EvidenceError(f"AuditInfo.json: no Record names rule set {min(unnamed):.16}")

    def _check_objects(self) -> None:
        case = self._case
        wanted = {digest for files in case.scope.rules.values() for digest in files.values()} | self._named
        for name in case.package.names():
            if not name.startswith("objects/"):
                continue
            digest_hex = name.removeprefix("objects/")
            if case.package.member(name).sha256_hex != digest_hex:
                raise EvidenceError(f"{name}: its bytes have another digest than its name")
            if digest_hex not in wanted:
                raise EvidenceError(f"{name}: no Record names it")


def _check_ruleset(case: Case, digest_hex: str, files: dict[str, str]) -> None:
    if jsontext.digest_hex(dict(files)) != digest_hex:
        raise EvidenceError(f"AuditInfo.json: the files of rule set {digest_hex:.16} do not have that digest")
    for name, file_digest in files.items():
        if f"objects/{file_digest}" not in case.package:
            raise EvidenceError(f"objects/{file_digest}: missing; it is {name} of rule set {digest_hex:.16}")


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


def drawn(case: Case, shown: "array.array[int]") -> str:
    """V13: the samples are those that root and nonce draw, and each has a proof that leads to the last checkpoint."""
    names = {name for name in case.package.names() if name.startswith(f"{samples.FOLDER}/")}
    if samples.SELECTION_FILE not in names:
        if names:
            raise EvidenceError(f"{min(names)}: a sample without {samples.SELECTION_FILE}")
        return "no samples were asked for"
    selection = samples.parse_selection(case.package.read(samples.SELECTION_FILE))
    end = case.scope.end
    samples.check_drawn(selection, end.root, shown)
    opened = case.package.read("ledger/checkpoint.end"), end.root, end.size
    known = {samples.SELECTION_FILE}
    for index in selection.chosen:
        stem = f"{samples.FOLDER}/{index}"
        known |= {f"{stem}.json", f"{stem}{tlogproof.SUFFIX}"}
        data, proof = case.package.read(f"{stem}.json"), case.package.read(f"{stem}{tlogproof.SUFFIX}")
        samples.check_sample(index, data, proof, opened)
    if names - known:
        raise EvidenceError(f"{min(names - known)}: not one of the samples that were drawn")
    return (
        f"{len(selection.chosen)} samples of {len(shown)} Records are those that the nonce {selection.nonce!r} draws "
        "(compare it with yours), each with its proof"
    )
