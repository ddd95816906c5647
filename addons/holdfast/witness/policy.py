"""Trust policies of C2SP: which logs and witnesses count, and how many of them. Standard library only.

Source: https://c2sp.org/tlog-policy. Reading is strict; what the format leaves to a reader's mercy (a last line without
its newline, say, which may be the beginning of another line) is refused.
"""

import dataclasses
import datetime as dt
import re
from collections.abc import Collection, Iterable
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import ed25519, note
from holdfast.witness import cosignature

POLICY_BYTES_MAX: Final = 256 * 1024
ENTRIES_MAX: Final = 1000  # tlog-policy, Implementation limits: at least 32 of each kind
NONE: Final = "none"
_BLANKS: Final = re.compile(r"[ \t]+")  # tlog-policy, Structure: space and tab, and no other white space
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


@dataclasses.dataclass(frozen=True, slots=True)
class Log:
    """A log that counts. Its key's name is its origin."""

    key: note.VerifierKey
    url: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Witness:
    """A witness that counts, under the name that the policy gives it."""

    name: str
    key: cosignature.CosignerKey
    url: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Witnesses and other groups, of which at least ``threshold`` must have vouched."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Cosigned:
    """A witness's cosignature that holds: its name in the policy, its key, and when it vouched (UTC)."""

    name: str
    key: cosignature.CosignerKey
    at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """Logs, witnesses, groups (each after what it names), and the name that must have vouched, or ``none``."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def open_checkpoint(self, data: bytes, verify: note.Verify = ed25519.verify) -> note.Checkpoint:
        """The checkpoint in ``data``, signed by a log of this policy. Whether witnesses vouched: :meth:`cosigners`.

        Raises:
            LedgerError: not a checkpoint, or of no log of the policy, or a bad signature under one of its keys.
        """
        opened = note.open_note(data, [log.key for log in self.logs], verify)
        checkpoint = note.parse_checkpoint(opened.text)
        known = {(log.key.name, log.key.key_id) for log in self.logs if log.key.name == checkpoint.origin}
        if known.isdisjoint((signature.name, signature.key_id) for signature in opened.signatures):
            raise LedgerError("a checkpoint is of another log")
        return checkpoint

    def cosigners(self, data: bytes, verify: note.Verify = ed25519.verify) -> tuple[Cosigned, ...]:
        """Which of the policy's witnesses have cosigned the checkpoint in ``data``, in the policy's order.

        Lines of others are ignored. Of two by one witness the later time counts.

        Raises:
            LedgerError: not a note, or a bad signature under the key of one of the witnesses.
        """
        signed = note.parse_note(data)
        known = {(witness.key.name, witness.key.key_id): witness for witness in self.witnesses}
        found: dict[str, Cosigned] = {}
        for signature in signed.signatures:
            witness = known.get((signature.name, signature.key_id))
            if witness is None:
                continue
            at = cosignature.verify(signature, signed.text, witness.key, verify)
            earlier = found.get(witness.name)
            if earlier is None or earlier.at < at:
                found[witness.name] = Cosigned(witness.name, witness.key, at)
        return tuple(found[witness.name] for witness in self.witnesses if witness.name in found)

    def is_met(self, cosigned: Iterable[Cosigned]) -> bool:
        """Whether these cosignatures are the quorum that the policy asks for."""
        return self.is_met_by({one.name for one in cosigned})

    def is_met_by(self, names: Collection[str]) -> bool:
        """Whether the witnesses with these names are the quorum that the policy asks for."""
        vouched = {witness.name for witness in self.witnesses if witness.name in names}
        for group in self.groups:  # each stands after its members
            if sum(member in vouched for member in group.members) >= group.threshold:
                vouched.add(group.name)
        return self.quorum == NONE or self.quorum in vouched

    def to_text(self) -> str:
        """The policy as a file, which :func:`parse` reads back."""
        lines = [_line("log", log.key.to_text(), log.url) for log in self.logs]
        lines += [_line("witness", witness.name, witness.key.to_text(), witness.url) for witness in self.witnesses]
        for group in self.groups:
            lines.append(_line("group", group.name, str(group.threshold), *group.members))
        return "".join([*lines, _line("quorum", self.quorum)])


def _line(*items: str | None) -> str:
    return " ".join(item for item in items if item is not None) + "\n"


def parse(data: bytes) -> Policy:
    """The policy in a file.

    Raises:
        LedgerError: it breaks a rule of tlog-policy; names the line.
    """
    if len(data) > POLICY_BYTES_MAX:
        raise LedgerError(f"a policy has more than {POLICY_BYTES_MAX} bytes")
    # tlog-policy, Character set: names are octets. Two of them are equal here exactly where their bytes are.
    text = data.decode("utf-8", "surrogateescape")
    if any(char not in "\t\n" and (char < " " or char == "\x7f") for char in text):
        raise LedgerError("a policy has a control character")
    if text and not text.endswith("\n"):
        raise LedgerError("a policy's last line does not end in a newline; it may be cut short")
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), 1):
        items = [item for item in _BLANKS.split(line) if item]
        if items and not items[0].startswith("#"):
            reader.read(number, items)
    return reader.policy()


class _Reader:
    """What the lines so far have said."""

    def __init__(self) -> None:
        self._logs: list[Log] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._quorum: str | None = None
        self._free: dict[str, bool] = {}  # name -> whether it is no group's member yet

    def read(self, number: int, items: list[str]) -> None:
        """Take one line in.

        Raises:
            LedgerError: names the line.
        """
        if len(self._free) + len(self._logs) >= ENTRIES_MAX:
            raise LedgerError(f"policy, line {number}: a policy has at most {ENTRIES_MAX} entries")
        try:
            self._take(items)
        except LedgerError as error:
            raise LedgerError(f"policy, line {number}: {error}") from None

    def _take(self, items: list[str]) -> None:
        match items:
            case ["log", vkey, *url] if len(url) <= 1:
                self._log(vkey, *url)
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._witness(name, vkey, *url)
            case ["group", name, threshold, *members] if members:
                self._group(name, threshold, tuple(members))
            case ["quorum", name]:
                self._set_quorum(name)
            case _:
                raise LedgerError("is no log, witness, group or quorum line")

    def policy(self) -> Policy:
        """The policy, once every line is read.

        Raises:
            LedgerError: no line said the quorum.
        """
        if self._quorum is None:
            raise LedgerError("a policy has one quorum line; this one has none")
        return Policy(tuple(self._logs), tuple(self._witnesses), tuple(self._groups), self._quorum)

    def _log(self, vkey: str, url: str | None = None) -> None:
        log = Log(note.parse_vkey(vkey), url)
        if any(other.key.public == log.key.public for other in self._logs):
            raise LedgerError("the same log key stands twice")
        self._logs.append(log)

    def _witness(self, name: str, vkey: str, url: str | None = None) -> None:
        witness = Witness(name, cosignature.parse_vkey(vkey), url)
        # One witness under two names would count as two.
        if any(other.key.public == witness.key.public for other in self._witnesses):
            raise LedgerError("the same witness key stands twice")
        self._define(name)
        self._witnesses.append(witness)

    def _group(self, name: str, threshold: str, members: tuple[str, ...]) -> None:
        for member in members:
            # tlog-policy, Defining a witness group: a name counts in one place only.
            if not self._free.get(member):
                raise LedgerError("a member of the group is not defined above, or is listed twice")
            self._free[member] = False
        count = {"any": "1", "all": str(len(members))}.get(threshold, threshold)
        if _NUMBER.fullmatch(count) is None or int(count) > len(members):
            raise LedgerError(f"a group's threshold is any, all or 1 to {len(members)}")
        self._define(name)
        self._groups.append(Group(name, int(count), members))

    def _define(self, name: str) -> None:
        if name == NONE or name in self._free:
            raise LedgerError("a name is defined twice, or is `none`")
        self._free[name] = True

    def _set_quorum(self, name: str) -> None:
        if self._quorum is not None:
            raise LedgerError("the quorum is said twice")
        if name != NONE and name not in self._free:
            raise LedgerError("the quorum is a name that is not defined above")
        self._quorum = name
