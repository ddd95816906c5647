"""Asking one witness or authority to vouch for the newest checkpoint, and keeping what it says.

A witness is told from which size on the ledger grew. Where it knows another size (409), it is asked again from there. A
cosignature is verified, then kept in `witness.db`, and only then is anything said about it.
"""

import dataclasses
import datetime as dt
import logging
from pathlib import Path
from typing import Final, Literal

from holdfast.clock import Clock, SystemClock
from holdfast.errors import LedgerError
from holdfast.ledger import note
from holdfast.ledger.keys import Keys
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.signatures import verify_signature
from holdfast.policy.ruleset import load_witnesses
from holdfast.witness import cosignature, protocol, store, timestamp
from holdfast.witness.post import Answered, post
from holdfast.witness.rules import TimestampRule, WitnessRule

ATTEMPTS_MAX: Final = 4  # somebody else may be submitting newer checkpoints of the same ledger meanwhile
CLOCK_S_MAX: Final = 600  # a vouching whose time is further from ours is an old one played back, or of a wrong clock
_OK: Final = 200
_CONFLICT: Final = 409
_UNPROVEN: Final = 422
_FAULT: Final = 500
_LOG: Final = logging.getLogger(__name__)

type Cause = Literal["unreachable", "refused", "invalid", "conflict"]
type Rule = WitnessRule | TimestampRule


class NotVouchedError(LedgerError):
    """Somebody outside did not vouch. ``cause`` is `conflict` where a witness saw another history of this ledger."""

    def __init__(self, cause: Cause, reason: str) -> None:
        super().__init__(reason)
        self.cause: Final = cause


@dataclasses.dataclass(frozen=True, slots=True)
class Vouched:
    """Size and root (hex) of the checkpoint that somebody vouched for, and the time that they state."""

    size: int
    root_hex: str
    at: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class Told:
    """What became of one submission: who, and either that it vouched or why it did not."""

    name: str
    kind: str
    vouched: Vouched | None
    problem: str | None = None

    def line(self) -> str:
        """One line for a terminal."""
        if self.vouched is None:
            return f"{self.kind} {self.name}: {self.problem}"
        return f"{self.kind} {self.name}: vouches for {self.vouched.size} Records"


def kind_of(rule: Rule) -> str:
    """The word of Records: `witness` or `timestamp`."""
    return "witness" if isinstance(rule, WitnessRule) else "timestamp"


def submit_now(data: Path, keys: Keys | None, rules_dir: Path, clock: Clock | None = None) -> tuple[Told, ...]:
    """Have everybody in the rules vouch for the newest checkpoint of the ledger in ``data``. Failures are told.

    With ``keys`` the checkpoint must be signed by them, so that no foreign one is sent.

    Raises:
        RulesError: `witnesses.yaml` is wrong.
        LedgerError: `witness.db` cannot be opened, or the checkpoint is not the ledger's.
    """
    rules = load_witnesses(rules_dir)
    if rules.is_empty:
        return ()
    if keys is not None:
        with open_reader(data) as reader:
            keys.ring.open_checkpoint(_head(reader)[0], verify_signature)
    clock = clock or SystemClock()
    everybody: tuple[Rule, ...] = (*rules.witnesses, *rules.timestamps)
    with store.open_outside(data, read_only=False) as outside:
        return tuple(_told(rule, data, outside, clock) for rule in everybody)


def _told(rule: Rule, data: Path, outside: store.Outside, clock: Clock) -> Told:
    try:
        return Told(rule.name, kind_of(rule), submit(rule, data, outside, clock))
    except LedgerError as error:
        return Told(rule.name, kind_of(rule), None, str(error))


def submit(rule: Rule, data: Path, outside: store.Outside, clock: Clock) -> Vouched:
    """Have one of them vouch for the newest checkpoint; durable in ``outside`` when this returns.

    Raises:
        NotVouchedError: it does not; says why.
        LedgerError: the ledger cannot be read, or `witness.db` not be written.
    """
    with open_reader(data) as reader:
        if isinstance(rule, WitnessRule):
            return _Witnessing(rule, reader, outside, clock).submit()
        return _stamp(rule, reader, outside, clock)


def _head(reader: Reader) -> tuple[bytes, note.Checkpoint]:
    data = reader.last_checkpoint()
    if data is None:
        raise LedgerError("the ledger has no checkpoint yet")
    return data, note.parse_checkpoint(note.parse_note(data).text)


class _Witnessing:
    """One submission to one witness."""

    def __init__(self, rule: WitnessRule, reader: Reader, outside: store.Outside, clock: Clock) -> None:
        self._rule: Final = rule
        self._reader: Final = reader
        self._outside: Final = outside
        self._clock: Final = clock

    def submit(self) -> Vouched:
        """See :func:`submit`."""
        last = self._outside.last_cosigned(self._rule.key.to_text())
        old = last.size if last else 0
        for _ in range(ATTEMPTS_MAX):
            signed, checkpoint = _head(self._reader)
            if old > checkpoint.size:
                # What we remember is newer than the ledger: a copy from a backup. The witness knows.
                old = 0
            answered = self._post(old, signed, checkpoint)
            if answered.status != _CONFLICT:
                return self._take(answered, signed, checkpoint)
            known, old = old, self._size(answered)
            self._compare(known, old)
        raise NotVouchedError("invalid", "names another size every time it is asked")

    def _post(self, old: int, signed: bytes, checkpoint: note.Checkpoint) -> Answered:
        # From the empty tree there is no proof, and none between a tree and itself.
        proof = self._reader.consistency(old, checkpoint.size) if 0 < old < checkpoint.size else ()
        body = protocol.Submission(old, proof, signed).to_bytes()
        try:
            return post(self._rule.url + protocol.PATH, body, "text/plain; charset=utf-8", protocol.ANSWER_BYTES_MAX)
        except LedgerError as error:
            raise NotVouchedError("unreachable", str(error)) from None

    def _size(self, answered: Answered) -> int:
        try:
            return protocol.parse_size(answered.body.decode("ascii").removesuffix("\n"))
        except (LedgerError, UnicodeDecodeError):
            raise NotVouchedError("invalid", "answers 409 without the size that it knows") from None

    def _compare(self, known: int, told: int) -> None:
        """Judge the size that the witness knows. ``known`` is what it was asked from."""
        _, newest = _head(self._reader)  # again: it may have grown, and somebody else submitted that
        if told > newest.size:
            raise NotVouchedError(
                "conflict",
                f"has cosigned {told} Records of this ledger, which has {newest.size}: it saw another history",
            )
        if told == known:
            raise NotVouchedError("conflict", f"has cosigned another tree of {told} Records: it saw another history")
        if told < known:
            _LOG.warning("the witness %s forgot: it knew %d Records and now %d", self._rule.name, known, told)

    def _take(self, answered: Answered, signed: bytes, checkpoint: note.Checkpoint) -> Vouched:
        if answered.status == _UNPROVEN:
            reason = f"refuses {checkpoint.size} Records as no continuation of what it saw: it saw another history"
            raise NotVouchedError("conflict", reason)
        if answered.status != _OK:
            raise _refused(answered)
        line, at = self._verified(answered.body, note.parse_note(signed).text)
        now = self._clock.now_at()
        _check_time(at, now)
        rule = self._rule
        kept = store.Cosignature(
            checkpoint.size, checkpoint.root.hex(), rule.name, rule.key.to_text(), line.to_line().encode(), at
        )
        self._outside.add_cosignature(kept, now)
        # Durable and verified: from here on it may be claimed.
        return Vouched(checkpoint.size, checkpoint.root.hex(), at)

    def _verified(self, body: bytes, text: str) -> tuple[note.Signature, dt.datetime]:
        key = self._rule.key
        try:
            for line in protocol.parse_signatures(body, text):
                # tlog-witness: lines of keys that we do not know are ignored.
                if (line.name, line.key_id) == (key.name, key.key_id):
                    return line, cosignature.verify(line, text, key, verify_signature)
        except LedgerError as error:
            raise NotVouchedError("invalid", f"answers with what is no cosignature: {error}") from None
        raise NotVouchedError("invalid", "answers without a cosignature by the key in the rules")


def _stamp(rule: TimestampRule, reader: Reader, outside: store.Outside, clock: Clock) -> Vouched:
    signed, checkpoint = _head(reader)
    query, nonce = timestamp.request(signed)
    try:
        answered = post(rule.url, query, timestamp.QUERY_TYPE, timestamp.TOKEN_BYTES_MAX)
    except LedgerError as error:
        raise NotVouchedError("unreachable", str(error)) from None
    if answered.status != _OK:
        raise _refused(answered)
    try:
        at = timestamp.check(answered.body, signed, rule.roots_pem, nonce)
    except timestamp.NotCheckedError:
        raise
    except LedgerError as error:
        raise NotVouchedError("invalid", str(error)) from None
    now = clock.now_at()
    _check_time(at, now)
    outside.add_timestamp(store.Stamp(checkpoint.size, checkpoint.root.hex(), rule.name, answered.body, at), now)
    # Durable and verified: from here on it may be claimed.
    return Vouched(checkpoint.size, checkpoint.root.hex(), at)


def _check_time(at: dt.datetime, now: dt.datetime) -> None:
    apart_s = abs((at - now).total_seconds())
    if apart_s > CLOCK_S_MAX:
        raise NotVouchedError("invalid", f"vouches for a time {apart_s:.0f} s from this machine's")


def _refused(answered: Answered) -> NotVouchedError:
    # Not in their words: what a stranger says has no place in a Record.
    if answered.status >= _FAULT:
        return NotVouchedError("unreachable", f"cannot vouch now (HTTP {answered.status})")
    match answered.status:
        case 403:
            why = "does not accept the ledger's key: tell its operator after a change of keys"
        case 404:
            why = "does not watch this ledger: its operator has to add it"
        case _:
            why = "does not vouch"
    return NotVouchedError("refused", f"{why} (HTTP {answered.status})")
