"""MCP sessions: a session id belongs to the server that gave it out and the Caller who opened it, and to nobody else.

A session of one server is none at another. Ids are kept as digests only. Every Caller has room for a number of
sessions; whoever opens more loses their own oldest ones, never another's.
"""

import collections
import hashlib
from typing import Final

from holdfast.errors import Cause, Refused
from holdfast.identity.caller import Caller

SESSIONS_COUNT_MAX: Final = 65_536  # about 20 MiB
PER_CALLER_COUNT_MAX: Final = 256  # one person's agents, with room for those that never say goodbye
_DOMAIN: Final = b"holdfast/session/v2\0"  # so that the digest is of no use for any other list of ids

type CallerKey = tuple[str, str]


class Sessions:
    """Which Caller each open session belongs to. Used from one event loop."""

    def __init__(
        self, *, sessions_count_max: int = SESSIONS_COUNT_MAX, per_caller_count_max: int = PER_CALLER_COUNT_MAX
    ) -> None:
        self._count_max = sessions_count_max
        self._per_caller_max = per_caller_count_max
        self._owner: dict[str, CallerKey] = {}
        self._held: dict[CallerKey, collections.OrderedDict[str, None]] = {}  # least lately used first

    def open(self, server: str, session_id: str, caller: Caller) -> None:
        """Note that ``server`` gave ``session_id`` to ``caller``.

        Raises:
            Refused: SERVER_FAULT, the id is already another Caller's.
        """
        self._add(self.digest_hex(server, session_id), caller.key)

    def check(self, server: str, session_id: str, caller: Caller) -> None:
        """Return if ``session_id`` is open at ``server`` and ``caller``'s.

        Raises:
            Refused: NO_SESSION when it is unknown or ended, FORBIDDEN when it is another Caller's.
        """
        digest_hex = self.digest_hex(server, session_id)
        owner = self._owner.get(digest_hex)
        if owner is None:
            raise Refused(
                Cause.NO_SESSION,
                "the session is unknown or has ended",
                next_step="Initialise a new session and repeat the request there.",
            )
        if owner != caller.key:
            raise Refused(
                Cause.FORBIDDEN,
                "the session belongs to another caller",
                next_step="Initialise a session of your own.",
            )
        self._held[owner].move_to_end(digest_hex)

    def end(self, server: str, session_id: str) -> None:
        """Forget the session, if it is open."""
        self._remove(self.digest_hex(server, session_id))

    @staticmethod
    def digest_hex(server: str, session_id: str) -> str:
        """What Records carry in place of ``session_id``: SHA-256 with a domain prefix, 64 hex digits.

        A NUL byte ends ``server``, which is a short plain name.
        """
        named = f"{server}\0{session_id}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(_DOMAIN + named).hexdigest()

    def restore(self, digest_hex: str, caller_key: CallerKey) -> None:
        """Note a session from its Record after a restart; call in the order in which they were opened.

        Raises:
            Refused: SERVER_FAULT, the session is already another Caller's.
        """
        self._add(digest_hex, caller_key)

    def __len__(self) -> int:
        return len(self._owner)

    def _add(self, digest_hex: str, key: CallerKey) -> None:
        if self._owner.get(digest_hex, key) != key:
            raise Refused(
                Cause.SERVER_FAULT,
                "the server gave out a session id that belongs to another caller",
                next_step="The server's operator must see to its session ids.",
            )
        held = self._held.setdefault(key, collections.OrderedDict())
        held[digest_hex] = None
        held.move_to_end(digest_hex)
        self._owner[digest_hex] = key
        if len(held) > self._per_caller_max:
            self._remove(next(iter(held)))
        elif len(self._owner) > self._count_max:
            # Whoever holds the most gives way, so that many sessions of one cannot end the few of another.
            fullest = max(self._held, key=lambda key: len(self._held[key]))
            self._remove(next(iter(self._held[fullest])))

    def _remove(self, digest_hex: str) -> None:
        key = self._owner.pop(digest_hex, None)
        if key is None:
            return
        held = self._held[key]
        del held[digest_hex]
        if not held:
            del self._held[key]
