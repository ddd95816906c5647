"""What a witness answers to a submission, and what it has remembered by then. No HTTP here.

The order is that of https://c2sp.org/tlog-witness, add-checkpoint: form, log, signature, sizes, proof; then the new
state is durable, and only then is it answered. Check and write are one transaction, so of two submissions that build on
the same state one comes second and finds that the state has moved.
"""

import dataclasses
import logging
import sqlite3
from typing import Final

from holdfast.clock import Clock
from holdfast.errors import LedgerError
from holdfast.ledger import note, schema, tree
from holdfast.ledger.signatures import verify_signature
from holdfast.witness import cosignature, protocol, sqlite
from holdfast.witness.server.folder import Signer
from holdfast.witness.server.store import Evidence, State, Store

TEXT_TYPE: Final = "text/plain; charset=utf-8"
_LOG: Final = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """Status, content type and body of an HTTP answer."""

    status: int
    body: bytes
    content_type: str = TEXT_TYPE


@dataclasses.dataclass(frozen=True, slots=True)
class _No:
    """A refusal. ``kind``: of evidence, where the checkpoint contradicts what was cosigned."""

    answer: Answer
    kind: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    """A submission whose form and signature are good: the checkpoint, and the note of the known signatures alone."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: note.Checkpoint
    note: note.Note


class Judge:
    """Answers for one witness. For one thread."""

    def __init__(self, store: Store, signer: Signer, clock: Clock) -> None:
        self._store: Final = store
        self._signer: Final = signer
        self._clock: Final = clock

    def add_checkpoint(self, body: bytes) -> Answer:
        """The answer to `POST /add-checkpoint`. With status 200 the checkpoint is durably the log's last one."""
        try:
            known = self._read(body)
            if isinstance(known, Answer):
                return known
            with sqlite.transaction(self._store.connection):
                answer = self._judge(known)
        except sqlite3.Error as error:
            _LOG.error("the state cannot be written: SQLite says %s", schema.error_name(error))
            return _said(503, "the state cannot be written")
        # From here on what the answer says is durable: it may be told.
        return answer

    def checkpoint(self, origin_hash_hex: str) -> Answer:
        """The answer to `GET /HASH/checkpoint`: the last checkpoint, with the log's and the witness's signatures."""
        state = self._store.state_at(origin_hash_hex)
        if state is None:
            return _said(404, "nothing was cosigned for a log of that hash")
        return Answer(200, protocol.with_signatures(state.checkpoint, [state.cosignature]))

    def _read(self, body: bytes) -> _Known | Answer:
        try:
            submission = protocol.parse_submission(body)
            signed = note.parse_note(submission.checkpoint)
            checkpoint = note.parse_checkpoint(signed.text)
        except LedgerError as error:
            return _said(400, str(error))
        keys = self._store.keys_of(checkpoint.origin)
        if not keys:
            return _said(404, "this witness does not watch a log of that origin")
        try:
            note.open_note(submission.checkpoint, keys, verify_signature)
        except LedgerError as error:
            return _said(403, str(error))
        if submission.old > checkpoint.size:
            return _said(400, "the old size is larger than the checkpoint's")
        ids = {(key.name, key.key_id) for key in keys}
        lines = tuple(line for line in signed.signatures if (line.name, line.key_id) in ids)
        return _Known(submission.old, submission.proof, checkpoint, note.Note(signed.text, lines))

    def _judge(self, known: _Known) -> Answer:
        origin, now = known.checkpoint.origin, self._clock.now_at()
        checkpoint = known.note.to_text().encode()
        last = self._store.state_of(origin)
        no = _contradiction(known, last)
        if no is not None:
            if no.kind is not None and last is not None:
                self._keep(Evidence(origin, no.kind, last.checkpoint, checkpoint, now))
            return no.answer
        if last is not None and now < last.at:
            # A cosignature says that nothing larger was seen until its time; an earlier one would be untrue.
            return _said(503, "the witness's clock is behind its last cosignature")
        line = cosignature.sign(known.note.text, self._signer.key, now, self._signer.sign).to_line().encode()
        self._store.put_state(origin, State(known.checkpoint.size, known.checkpoint.root, checkpoint, line, now))
        return Answer(200, line)

    def _keep(self, evidence: Evidence) -> None:
        if evidence.kind == "fork":
            _LOG.error("FORK: %s has signed two trees of one size; `status` shows both", evidence.origin)
        else:
            _LOG.warning("%s submitted a checkpoint that it did not show to continue the last", evidence.origin)
        self._store.keep_evidence(evidence)


def _contradiction(known: _Known, last: State | None) -> _No | None:
    size, root = known.checkpoint.size, known.checkpoint.root
    last_size = last.size if last else 0
    is_fork = last is not None and size == last.size and root != last.root
    if known.old != last_size:
        answer = Answer(409, f"{last_size}\n".encode("ascii"), protocol.SIZE_TYPE)
        return _No(answer, "fork" if is_fork else None)
    if is_fork:
        return _No(_said(422, "another tree of the same size was cosigned"), "fork")
    if size == 0 and root != tree.root_of([]):
        return _No(_said(422, "that is not the root of the empty tree"), "unproven")
    if last is None or last_size == 0:
        # Every tree continues the empty one, so there is nothing to prove; RFC 6962 has no proof from size 0.
        return _No(_said(422, "from the empty tree there is no proof")) if known.proof else None
    try:
        tree.verify_consistency(last_size, size, last.root, root, known.proof)
    except LedgerError as error:
        return _No(_said(422, str(error)), "unproven")
    return None


def _said(status: int, text: str) -> Answer:
    return Answer(status, f"{text}\n".encode())
