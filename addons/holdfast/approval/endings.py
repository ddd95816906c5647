"""How Holds end by themselves: time runs out, the rules change, a wait breaks off, the gateway stopped.

A change of the Ruleset ends every Hold that is undecided, or granted and not yet used: its outcome is ``expired`` and
the reason says that the rules changed. The next repeat of the call is judged by the new rules, and held anew if they
say so.
"""

import datetime as dt
from collections.abc import Callable

from holdfast.approval.board import Board, Place
from holdfast.approval.holds import Hold, State
from holdfast.approval.judging import Rules, rule_of, use_by_at
from holdfast.approval.refusals import RULES_CHANGED
from holdfast.clock import Clock
from holdfast.errors import ApprovalError
from holdfast.policy.holding import HoldRule


class Endings:
    """Ends what is over. The caller of :meth:`end_if_over` and :meth:`take_up` holds the lock of the place."""

    def __init__(self, board: Board, rules: Callable[[], Rules], clock: Clock) -> None:
        self._board = board
        self._rules = rules
        self._clock = clock

    async def sweep(self) -> None:
        """End every Hold that is over, and forget those that ended long ago."""
        for place in self._board.places():
            # A place whose lock is taken is being looked at already.
            if (place.hold.state.is_open or place.hold.state is State.DENIED) and not place.lock.locked():
                async with place.lock:
                    await self.end_if_over(place)
        await self._board.prune(self._clock.now_at())

    async def end_if_over(self, place: Place) -> None:
        """End the Hold at ``place`` if its time is over, its rules are gone, or nobody waits any more."""
        hold, now = place.hold, self._clock.now_at()
        if hold.state is State.DENIED and now >= hold.expires_at:
            self._board.unlist(place)
        if not hold.state.is_open:
            return
        note = self._why_over(place)
        if note is not None:
            await self._board.end(place, State.EXPIRED, "expired", note)
        elif hold.state is State.WAITING and place.waiter_count == 0:
            await self._board.end(place, State.INTERRUPTED, "interrupted", "the wait broke off")

    async def take_up(self, place: Place) -> None:
        """What becomes of a Hold of the last run: nobody waits for it now."""
        match place.hold.state:
            case State.OPENING:
                note = "the gateway stopped before the hold was open"
                await self._board.end(place, State.ABANDONED, "abandoned", note)
            case State.WAITING:
                await self._board.end(place, State.INTERRUPTED, "interrupted", "the gateway stopped")
            case _:
                pass

    def _why_over(self, place: Place) -> str | None:
        hold, now, rules = place.hold, self._clock.now_at(), self._rules()
        rule = rule_of(rules, hold.rule)
        if rule is None or hold.rules_digest_hex != rules.digest_hex:
            return RULES_CHANGED
        if hold.state is State.GRANTED:
            return _why_grant_over(hold, rule, now)
        if now < hold.expires_at:
            return None
        given = len(hold.approvals)
        return f"{given} approvals of {rule.approvals_needed} in time" if given else "nobody decided in time"


def _why_grant_over(hold: Hold, rule: HoldRule, now: dt.datetime) -> str | None:
    try:
        return "the approval was not used in time" if now > use_by_at(hold, rule) else None
    except ApprovalError as error:
        # Somebody edited the file. One such Hold must not keep the others from ending.
        return f"the grant does not verify: {error}"
