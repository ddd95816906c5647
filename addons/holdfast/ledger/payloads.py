"""What `verify` checks about payloads: each opens its commitment, or a later Record says that it was erased.

Payloads are read in batches, since a query costs more than a payload. Memory holds a batch of commitments, and those
that are missing or said to be erased; of payloads, one at a time.
"""

from collections.abc import Iterable
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import record, schema
from holdfast.ledger.reader import Reader
from holdfast.ledger.spelling import Stated

BATCH_COUNT: Final = 500
_SELECT: Final = f"SELECT c, ct, key, data FROM payloads WHERE c IN ({', '.join('?' * BATCH_COUNT)})"  # noqa: S608 -- no value in it


class PayloadCheck:
    """Takes what Records say about payloads, in the order of the ledger.

    ``count`` payloads opened their commitment; ``erased`` is how many are gone as a Record says, ``unerased`` how many
    are still there although one says so: a crash, or a backup of `payload.db`, and the next start has it to do again.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader: Final = reader
        self._waiting: Final[dict[str, tuple[int, Stated]]] = {}
        self._missing: Final[dict[str, tuple[int, str]]] = {}
        self._erased_at: Final[dict[str, int]] = {}
        self._there: Final[set[str]] = set()
        self._opened = 0

    @property
    def count(self) -> int:
        """How many payloads open their commitment."""
        return self._opened

    @property
    def erased(self) -> int:
        """How many payloads are gone, as a Record says."""
        return len(self._erased_at) - len(self._there)

    @property
    def unerased(self) -> int:
        """How many payloads are there although a Record says that they were erased."""
        return len(self._there)

    def add(self, index: int, stated: Stated) -> None:
        """Take a commitment of Record ``index``.

        Raises:
            LedgerError: of this Record or one before: the payload is not the one committed to.
        """
        if stated.commitment in self._waiting:
            self.flush()
        if stated.commitment in self._erased_at:
            at = self._erased_at[stated.commitment]
            raise LedgerError(f"record {index}: commits to a payload that record {at} says was erased")
        self._waiting[stated.commitment] = (index, stated)
        if len(self._waiting) == BATCH_COUNT:
            self.flush()

    def add_erased(self, index: int, commitments: Iterable[str]) -> None:
        """Take what the Record `payload.erased` at ``index`` names.

        Raises:
            LedgerError: it names a payload that no Record before it commits to.
        """
        self.flush()
        for commitment in commitments:
            if commitment in self._erased_at:
                continue  # erased once more: after a backup had brought it back
            if commitment not in self._missing:
                self._check_there(index, commitment)
                self._there.add(commitment)
            self._erased_at[commitment] = index

    def _check_there(self, index: int, commitment: str) -> None:
        # Rare: the Record is durable and its payload not yet gone. Only the Records can tell whose payload it is.
        mark = f'"c":"{commitment}"'.encode()
        query = "SELECT 1 FROM entries WHERE seq < ? AND instr(entry, ?) LIMIT 1"
        if self._reader.ledger.execute(query, (index, mark)).fetchone() is None:
            raise LedgerError(f"record {index}: says that a payload was erased to which no Record before it commits")

    def flush(self) -> None:
        """Check the batch at hand.

        Raises:
            LedgerError: names the first Record whose payload is not the one that it commits to.
        """
        wanted = list(self._waiting)
        wrong: list[tuple[int, str]] = []
        rows = self._reader.payloads_db.execute(_SELECT, wanted + [None] * (BATCH_COUNT - len(wanted)))
        for commitment, content_type, key, data in rows if wanted else ():
            if (content_type, key, data) == schema.EMPTIED or commitment not in self._waiting:
                continue
            index, stated = self._waiting.pop(commitment)
            if _opens(stated, content_type, key, data):
                self._opened += 1
            else:
                wrong.append((index, stated.member))
        for commitment, (index, stated) in self._waiting.items():
            self._missing.setdefault(commitment, (index, stated.member))
        self._waiting.clear()
        if wrong:
            index, member = min(wrong)
            raise LedgerError(f"record {index}: the payload of {member} is not the one it commits to")

    def is_unexplained(self, signed_size: int) -> bool:
        """Whether a payload is missing that no Record before ``signed_size`` says was erased."""
        self.flush()
        return self._first_unexplained(signed_size) is not None

    def finish(self, signed_size: int) -> None:
        """Refuse a payload that is missing, unless a Record that a signature covers says that it was erased.

        Raises:
            LedgerError: names the first Record whose payload is missing.
        """
        self.flush()
        found = self._first_unexplained(signed_size)
        if found is not None:
            index, member = found
            raise LedgerError(
                f"record {index}: the payload of {member} is missing from {schema.PAYLOAD_FILE}, "
                "and no signed Record says that it was erased"
            )

    def _first_unexplained(self, signed_size: int) -> tuple[int, str] | None:
        # An unsigned Record explains nothing: whoever can delete a payload could have appended it.
        unsaid = (
            place
            for commitment, place in self._missing.items()
            if self._erased_at.get(commitment, signed_size) >= signed_size
        )
        return min(unsaid, default=None)


def _opens(stated: Stated, content_type: object, key: object, data: object) -> bool:
    # A column's type is in the file too, and can be edited like the rest of it.
    if not (isinstance(content_type, str) and isinstance(key, bytes) and isinstance(data, bytes)):
        return False
    if content_type != stated.content_type or len(data) != stated.size_bytes:
        return False
    return record.commit(key, content_type, data) == stated.commitment
