"""The desk: where held calls wait, and where approvers decide about them.

A held call takes this way::

    hold() ─▶ join or open ─▶ wait ─▶ leave ─▶ Grant, or Refused
               hold.opened      │      hold.closed
                                └─ decided (decisions.py): approval

The call waits on an event of its own, so it blocks nobody. Every step is recorded before it takes effect: approvers see
a Hold after ``hold.opened`` is durable, the call moves after ``approval`` and ``hold.closed`` are.
"""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from holdfast.approval import refusals
from holdfast.approval.board import LIMITS, Board, Limits, Place
from holdfast.approval.decisions import Decisions, IdentifiesTokens
from holdfast.approval.desk_socket import SOCKET_NAME, DeskSocket
from holdfast.approval.endings import Endings
from holdfast.approval.holds import (
    Grant,
    Hold,
    HoldRequest,
    Leaving,
    RandomBytes,
    State,
    request_key,
)
from holdfast.approval.judging import Rules, check_grant, rule_of
from holdfast.approval.keys import Signs
from holdfast.approval.opening import new_hold
from holdfast.approval.records import Appends, closed_draft, opened_draft
from holdfast.approval.store import FILE_NAME
from holdfast.approval.waiting import until_decided
from holdfast.clock import Clock
from holdfast.errors import ApprovalError

__all__ = ["Desk", "Grant", "HoldRequest", "Limits"]

SWEEP_S: Final = 1.0  # how late a Hold may notice that it expired or that the rules changed

_LOG: Final = logging.getLogger(__name__)


class Desk:
    """Holds calls until approvers decide.

    Args:
        directory: the data folder; ``desk.db`` and ``desk.sock`` are made in it with mode 0600.
        ledger: where Records become durable.
        rules: the Ruleset in force; asked anew each time.
        identifier: judges the tokens of approvers; asked anew each time.
        request_key: keys the digests of attempts that were refused; 32 bytes.
        clock: wall time.
        signer: the gateway's ledger key, which signs for approvers who prove themselves by token.
        keep_text: masks a text for Records; a reason that it would change is not accepted.
        limits: how many Holds may be open.
        random_bytes: where ids and nonces come from.
    """

    def __init__(  # noqa: PLR0913 -- everything that a desk touches comes in by name, from one place: the gateway's start
        self,
        directory: Path,
        ledger: Appends,
        rules: Callable[[], Rules],
        identifier: Callable[[], IdentifiesTokens],
        request_key: bytes,
        clock: Clock,
        *,
        signer: Signs,
        keep_text: Callable[[str], str],
        limits: Limits = LIMITS,
        random_bytes: RandomBytes = secrets.token_bytes,
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._signer = signer
        self._random_bytes = random_bytes
        self._board = Board(directory / FILE_NAME, ledger, limits)
        self._endings = Endings(self._board, rules, clock)
        self.decisions = Decisions(
            self._board,
            self._endings,
            rules,
            identifier,
            request_key=request_key,
            clock=clock,
            signer=signer,
            keep_text=keep_text,
        )
        self._socket = DeskSocket(directory / SOCKET_NAME, self.decisions)
        self._sweeper: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._inside_count = 0
        self._left = asyncio.Event()

    async def start(self) -> None:
        """Take up the Holds of the last run and open the socket.

        Whatever waited when the gateway stopped is interrupted: its connection is gone, it can still be decided, and a
        repeat of the same call uses the grant once. Nothing goes out by itself.

        Raises:
            SettingsError: desk.db or the socket cannot be used.
            LedgerError: the interruptions cannot be recorded.
        """
        self._stopping.clear()
        self._socket.claim()
        try:
            await self._take_up()
        except BaseException:
            await self._socket.stop()
            await self._board.close()
            raise
        await self._socket.start()
        self._sweeper = asyncio.create_task(self._sweep_forever(), name="holdfast desk sweep")

    async def _take_up(self) -> None:
        await self._board.open()
        for place in self._board.places():
            async with place.lock:
                await self._endings.take_up(place)
        await self.sweep()

    async def stop(self) -> None:
        """Close the socket, tell every waiting call that it is pending, and close desk.db."""
        await self._socket.stop()
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        self._stopping.set()
        for place in self._board.places():
            place.show(place.hold)
        # Each waiter leaves by itself, after its Record.
        while self._inside_count:
            self._left.clear()
            await self._left.wait()
        await self._board.close()

    @property
    def is_stopping(self) -> bool:
        """Whether nobody waits here any more, because the gateway stops."""
        return self._stopping.is_set()

    def standing(self, hold_id: str) -> Hold | None:
        """The Hold with exactly this id, or None; also one that ended lately."""
        return next((place.hold for place in self._board.find(hold_id) if place.hold.id == hold_id), None)

    async def hold(self, request: HoldRequest, gone: asyncio.Event, cancelled: asyncio.Event | None = None) -> Grant:
        """Wait until approvers let ``request`` go out.

        The same call of the same Caller joins the Hold that it has, or opens one. It waits for up to
        ``request.patience_s``.

        Args:
            request: the held Call.
            gone: set when the client hangs up.
            cancelled: set when the client takes the call back.

        Returns:
            A Grant for exactly this request. The gate appends the ``call`` Record with its use before anything moves.

        Raises:
            Refused: HOLD_PENDING with a ticket when the wait is over or the client is gone, DENIED_BY_APPROVER,
                HOLD_EXPIRED, DENIED_BY_RULE (too large to be shown), or UNAVAILABLE (too many Holds).
            LedgerError: a Record is not durable; the call does not go out.
        """
        if self._stopping.is_set():
            raise refusals.stopping(request.rule.id)
        self._inside_count += 1
        try:
            return await self._held(request, Leaving(gone, cancelled or asyncio.Event()))
        finally:
            self._inside_count -= 1
            self._left.set()

    async def _held(self, request: HoldRequest, leaving: Leaving) -> Grant:
        deadline_s = asyncio.get_running_loop().time() + request.patience_s
        while True:
            place = await self._join_or_open(request)
            try:
                await until_decided(place, request, leaving, self._stopping, deadline_s)
                async with place.lock:
                    grant = await self._leave(place, request, leaving)
            finally:
                place.leave(request)
            if grant is not None:
                return grant
            # The grant did not stand: the call is held anew.

    async def sweep(self) -> None:
        """End every Hold whose time is over or whose rules are gone. Runs every second by itself."""
        await self._endings.sweep()

    async def _sweep_forever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 -- a sweep that fails is tried again; holds stay closed to use meanwhile
                _LOG.error("the approval desk cannot end overdue holds: %s", type(error).__name__)

    async def _join_or_open(self, request: HoldRequest) -> Place:
        rules = self._rules()
        if rule_of(rules, request.rule.id) != request.rule:
            raise refusals.rules_changed(request.rule.id)
        while True:
            place = self._board.by_key(request_key(request))
            if place is None:
                return await self._open(request, rules)
            async with place.lock:
                if await self._join(place, request):
                    return place

    async def _join(self, place: Place, request: HoldRequest) -> bool:
        await self._endings.end_if_over(place)
        if self._board.by_key(place.hold.key) is not place:
            return False
        match place.hold.state:
            case State.DENIED:
                raise refusals.denied(place.hold)
            case State.PENDING | State.INTERRUPTED:
                await self._board.put(place, place.hold.moved(State.WAITING))
            case State.WAITING | State.GRANTED:
                pass
            case _:
                self._board.unlist(place)
                return False
        place.enter(request)
        return True

    async def _open(self, request: HoldRequest, rules: Rules) -> Place:
        place = self._board.reserve(new_hold(request, rules, self._clock.now_at(), self._random_bytes))
        async with place.lock:
            try:
                hold = place.hold
                # On disk first, unseen: if the gateway dies before the Record is durable, the next start ends it.
                await self._board.put(place, hold)
                (receipt,) = await self._board.append(opened_draft(request, hold))
                # From here on approvers may see it: that it was held is durable.
                await self._board.put(place, hold.opened(receipt.index))
            except BaseException:
                self._board.discard(place)
                raise
            place.enter(request)
        return place

    async def _leave(self, place: Place, request: HoldRequest, leaving: Leaving) -> Grant | None:
        await self._endings.end_if_over(place)
        hold, others_wait = place.hold, place.waiter_count > 1
        if leaving.why is not None:
            # A grant given meanwhile stays for a repeat: the client may have timed out and try again.
            if hold.state.is_undecided and not others_wait:
                await self._board.end(place, State.ABANDONED, "abandoned", leaving.why, request.call_id)
            raise refusals.gone(hold, leaving.why)
        match hold.state:
            case State.GRANTED:
                return await self._use(place, request)
            case State.DENIED:
                raise refusals.denied(hold)
            case State.EXPIRED:
                raise refusals.expired(hold)
            case State.USED:
                raise refusals.used(hold)
            case State.WAITING | State.PENDING | State.INTERRUPTED:
                await self._end_wait(place, request, others_wait=others_wait)
                raise refusals.pending(hold)
            case _:
                return None

    async def _end_wait(self, place: Place, request: HoldRequest, *, others_wait: bool) -> None:
        stopped = self._stopping.is_set()
        outcome = "interrupted" if stopped else "pending"
        note = "the gateway stopped" if stopped else f"undecided after {request.patience_s} s"
        if others_wait:
            await self._board.append(closed_draft(place.hold, outcome, note, request.call_id))
        else:
            await self._board.end(place, State(outcome), outcome, note, request.call_id)

    async def _use(self, place: Place, request: HoldRequest) -> Grant | None:
        hold = place.hold
        try:
            approvers = check_grant(hold, request, self._rules(), self._signer.public, self._clock.now_at())
        except ApprovalError as error:
            await self._board.end(
                place, State.EXPIRED, "expired", f"the grant does not verify: {error}", request.call_id
            )
            return None
        # From here on the grant is spent, whether or not the call goes out. That it is used once is the ledger's to
        # keep: it takes each pair of approval_id and use_no one time.
        await self._board.end(place, State.USED, "used", "", request.call_id)
        return Grant(hold.id, 1, ", ".join(approvers), hold.approvals[-1].record_index)
