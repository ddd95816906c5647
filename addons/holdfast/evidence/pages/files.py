"""The files of a package, grouped by what they are, each with a word about it."""

import dataclasses
import urllib.parse
from collections.abc import Iterable
from typing import Final, Protocol

from holdfast.evidence.pages.bounds import FILES_ALL_MAX

PAGE_FILE: Final = "evidence_manifest.html"
# Made after the page, so that it cannot state their digests.
LATER: Final = frozenset({PAGE_FILE, "MANIFEST.dsse.json", "SHA256SUMS", "SHA256SUMS.sig"})

# Folder, title, what its files are. The first that fits counts.
_GROUPS: Final = (
    ("reports/", "Reports", "Answers to an auditor's questions, each as a page and as a table for a spreadsheet"),
    ("ledger/tiles/", "Tiles of the ledger", "The same tree as a C2SP tlog-tiles directory, for other verifiers"),
    ("ledger/", "The ledger", "Records, 1024 to a file, with the signed checkpoints and proofs around them"),
    ("payloads/", "Masked contents", "What calls and replies said, masked, one line for each commitment of a Record"),
    ("objects/", "Rules, options, definitions", "What was in force, byte for byte, named by its SHA-256"),
    ("approvals/", "Approvals", "For each hold the view that was shown, and each decision as it was signed"),
    ("samples/", "Samples", "Records drawn by a rule that neither side can steer, each with its own proof"),
    ("controls/", "Controls", "The list of controls that this package was built with"),
    ("siem/", "For a SIEM", "The same Records as events of the Open Cybersecurity Schema Framework"),
    ("trust/", "Keys and trust", "Public keys as the sender states them: compare them with what came another way"),
    ("", "To begin with", "What a reader opens first"),
)
_ABOUT: Final = {
    "README.html": "The front page",
    "AuditInfo.json": "Which ledger, which Records, which rules, made with what",
    "CONTROLS.csv": "Controls, coverage, what is left to you, and the reports that speak to each",
    "VERIFY.md": "How to verify this package, with Holdfast and without",
    "verify.py": "The verifier: one file for bare Python",
    "reports/index.csv": "Every report with its question, selection, rows and Records",
    "ledger/checkpoint.start": "The signed checkpoint at which the range begins",
    "ledger/checkpoint.end": "The signed checkpoint at which the range ends",
    "ledger/checkpoints.txt": "Every signed checkpoint in between",
    "ledger/range-start.txt": "Hashes that stand for everything before the range",
    "ledger/withheld.txt": "Records that are not shown: their places and leaf hashes",
    "trust/log.vkey": "The ledger's public key, one line",
    "trust/log.pub.pem": "The same key for openssl",
    "trust/allowed_signers": "The same key for ssh-keygen",
    "trust/policy.tlog-policy": "Log, witnesses and quorum as a C2SP tlog-policy",
    "trust/tsa-roots.pem": "Certificates of the time-stamping authorities",
    "trust/approvers.json": "Who may approve, under which rules",
    "trust/fingerprints.txt": "Short forms of the key, to compare by telephone",
    "siem/ocsf.jsonl.gz": "One event for each Record that a SIEM would want",
}


class PackedFile(Protocol):
    """A file of the package."""

    @property
    def name(self) -> str:
        """Its path in the package."""

    @property
    def size(self) -> int:
        """Its length in bytes."""

    @property
    def sha256_hex(self) -> str:
        """Its digest."""


@dataclasses.dataclass(frozen=True, slots=True)
class FileLine:
    """A file as the page lists it."""

    name: str
    href: str
    about: str
    size_bytes: int
    sha256_hex: str


@dataclasses.dataclass(slots=True)
class Group:
    """Files of one kind; of very many the first ``FILES_ALL_MAX``, the rest as a count."""

    title: str
    about: str
    files: list[FileLine] = dataclasses.field(default_factory=list)
    more: int = 0
    more_bytes: int = 0
    last_name: str = ""

    def add(self, file: PackedFile) -> None:
        """One more file, in order of names."""
        if len(self.files) < FILES_ALL_MAX:
            href = urllib.parse.quote(file.name)
            self.files.append(FileLine(file.name, href, _ABOUT.get(file.name, ""), file.size, file.sha256_hex))
            return
        self.more += 1
        self.more_bytes += file.size
        self.last_name = file.name


@dataclasses.dataclass(frozen=True, slots=True)
class Listing:
    """All files of a package but those that are made after the page."""

    groups: tuple[Group, ...]
    files_count: int
    files_bytes: int


def listing(files: Iterable[PackedFile]) -> Listing:
    """Sort ``files`` into groups; what stands at the top of the package comes first."""
    groups = {folder: Group(title, about) for folder, title, about in (_GROUPS[-1], *_GROUPS[:-1])}
    kept = sorted((file for file in files if file.name not in LATER), key=lambda file: file.name)
    for file in kept:
        folder = next(folder for folder, _, _ in _GROUPS if file.name.startswith(folder))
        groups[folder].add(file)
    used = tuple(group for group in groups.values() if group.files)
    return Listing(used, len(kept), sum(file.size for file in kept))
