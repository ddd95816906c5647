"""Meters: what Callers have spent of their budgets. In memory; a restart begins anew.

Every budget counts for itself, by Caller or by session; a Caller without a session is counted by their token, which
ends too. Meters outlive a reload of the rules: a limit that changes applies to what was counted before. Of too many
meters the one least lately used is forgotten. That gives nobody a way around: another session, which is what it takes
to push one out, begins with a budget of its own anyway, and a Caller is pushed out by as many other Callers only.
"""

import collections
import dataclasses
from typing import Final

from holdfast.clock import Clock
from holdfast.errors import Cause, Refused
from holdfast.identity.caller import Caller
from holdfast.jsontext import JsonObject
from holdfast.policy.budgets import BudgetRule, BudgetRules, Per
from holdfast.policy.scope import Facts

MINUTE_S: Final = 60
METERS_COUNT_MAX: Final = 16_384  # of each kind; one that counts in every second of a minute takes about 8 KiB

type _Key = tuple[str, str, str, str]  # budget, iss, sub, and the session or nothing


@dataclasses.dataclass(frozen=True, slots=True)
class Spender:
    """Who spends: the Caller's ``(iss, sub)``, and the digest of the session, or of the token where there is none."""

    caller: tuple[str, str]
    session: str


def spender_of(base: JsonObject, caller: Caller) -> Spender:
    """Who spends, by the Caller and what every Record about the request says of its session."""
    session = base.get("sid")
    return Spender(caller.key, session if isinstance(session, str) else caller.token_digest_hex)


def now_s(clock: Clock) -> int:
    """Seconds of a clock that never goes back."""
    return clock.monotonic_ns() // 1_000_000_000


class Minute:
    """What was counted in the last 60 s, by the second: exact to one."""

    def __init__(self) -> None:
        self._seconds: collections.deque[tuple[int, int]] = collections.deque()
        self._total = 0

    def total(self, now_s: int) -> int:
        """How much was counted in the 60 s up to ``now_s``."""
        while self._seconds and self._seconds[0][0] <= now_s - MINUTE_S:
            self._total -= self._seconds.popleft()[1]
        return self._total

    def add(self, now_s: int, amount: int) -> None:
        """Count ``amount`` at ``now_s``."""
        self._total += amount
        if self._seconds and self._seconds[-1][0] == now_s:
            amount += self._seconds.pop()[1]
        self._seconds.append((now_s, amount))

    def wait_s(self, now_s: int, at_most: int) -> int:
        """Seconds until no more than ``at_most`` is left of what was counted."""
        left = self.total(now_s)
        for second, amount in self._seconds:
            if left <= at_most:
                return 0
            left -= amount
            until_s = second + MINUTE_S - now_s
            if left <= at_most:
                return until_s
        return 0


class Shelf[T]:
    """Meters of one kind by key; of too many, the least lately used is forgotten."""

    def __init__(self, count_max: int) -> None:
        self._meters: collections.OrderedDict[_Key, T] = collections.OrderedDict()
        self._count_max = count_max

    def get(self, key: _Key) -> T | None:
        """The meter under ``key``, where there is one."""
        return self._meters.get(key)

    def put(self, key: _Key, meter: T) -> None:
        """Keep ``meter`` under ``key``, as the one used last."""
        self._meters[key] = meter
        self._meters.move_to_end(key)
        if len(self._meters) > self._count_max:
            self._meters.popitem(last=False)


class Meters:
    """What was spent, by budget and spender. Used from one event loop; ``now_s`` is of a clock that never goes back."""

    def __init__(self, *, count_max: int = METERS_COUNT_MAX) -> None:
        # Apart, so that many sessions of one Caller push out no Caller's meter.
        self._calls = {per: Shelf[Minute](count_max) for per in Per}
        self._bytes = {per: Shelf[Minute](count_max) for per in Per}
        self._sessions = Shelf[int](count_max)

    def take(self, rules: BudgetRules, facts: Facts, spender: Spender, now_s: int) -> None:
        """Count one Call.

        Raises:
            Refused: OVER_BUDGET, with the budget and when to try again; then nothing is counted.
        """
        about = [rule for rule in rules.rules if rule.why_not(facts) is None]
        for rule in about:
            self._check_call(rule, spender, now_s)
        for rule in about:
            if rule.calls_per_minute is not None:
                _add(self._calls[rule.per], _key(rule, spender, rule.per), now_s, 1)
            if rule.calls_per_session is not None:
                key = _key(rule, spender, Per.SESSION)
                self._sessions.put(key, (self._sessions.get(key) or 0) + 1)

    def _check_call(self, rule: BudgetRule, spender: Spender, now_s: int) -> None:
        limit = rule.calls_per_session
        if limit is not None and (self._sessions.get(_key(rule, spender, Per.SESSION)) or 0) >= limit:
            raise _over(
                rule, f"a session has {limit} calls", "Go on in a new session, if this one was meant to be so long."
            )
        minute = self._calls[rule.per].get(_key(rule, spender, rule.per))
        limit = rule.calls_per_minute
        if limit is not None and minute is not None and minute.total(now_s) >= limit:
            raise _over(rule, f"{limit} calls a minute are spent", _again(minute.wait_s(now_s, limit - 1)))
        minute = self._bytes[rule.per].get(_key(rule, spender, rule.per))
        limit = rule.result_bytes_per_minute
        if limit is not None and minute is not None and minute.total(now_s) >= limit:
            raise _over(rule, f"{limit} bytes of results a minute are spent", _again(minute.wait_s(now_s, limit - 1)))

    def weigh(self, weighing: list[BudgetRule], spender: Spender, size_bytes: int, now_s: int) -> None:
        """Count the result of a Call, of ``size_bytes``, against budgets that :func:`weighing` found.

        Raises:
            Refused: OVER_BUDGET; then nothing is counted.
        """
        for rule in weighing:
            self._check_result(rule, spender, size_bytes, now_s)
        for rule in weighing:
            if rule.result_bytes_per_minute is not None:
                _add(self._bytes[rule.per], _key(rule, spender, rule.per), now_s, size_bytes)

    def _check_result(self, rule: BudgetRule, spender: Spender, size_bytes: int, now_s: int) -> None:
        limit = rule.result_bytes_per_call
        if limit is not None and size_bytes > limit:
            raise _over(rule, f"the result has {size_bytes} bytes, and one may have {limit}", "Ask for less at a time.")
        limit = rule.result_bytes_per_minute
        if limit is None:
            return
        if size_bytes > limit:
            raise _over(rule, f"the result has {size_bytes} bytes, and a minute has {limit}", "Ask for less at a time.")
        minute = self._bytes[rule.per].get(_key(rule, spender, rule.per))
        if minute is not None and minute.total(now_s) + size_bytes > limit:
            wait_s = minute.wait_s(now_s, limit - size_bytes)
            raise _over(rule, f"the result would pass {limit} bytes in one minute", _again(wait_s))


def weighing(rules: BudgetRules, facts: Facts) -> list[BudgetRule]:
    """The budgets that weigh the result of a Call."""
    return [rule for rule in rules.rules if rule.weighs and rule.why_not(facts) is None]


def _add(shelf: Shelf[Minute], key: _Key, now_s: int, amount: int) -> None:
    minute = shelf.get(key) or Minute()
    minute.add(now_s, amount)
    shelf.put(key, minute)


def _key(rule: BudgetRule, spender: Spender, per: Per) -> _Key:
    return (rule.id, *spender.caller, spender.session if per is Per.SESSION else "")


def _again(wait_s: int) -> str:
    return f"Try again in {max(1, wait_s)} s."


def _over(rule: BudgetRule, reason: str, next_step: str) -> Refused:
    return Refused(Cause.OVER_BUDGET, f"over budget: {reason}", rule=rule.id, next_step=next_step)
