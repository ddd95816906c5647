"""The thread that has everybody outside vouch for the newest checkpoint, and Records when they do not.

Each round: ask all who are due, side by side; keep what they say (`submit.py`); then, on this thread alone, take it in
(`standing.py`) and Record who went down or came back. The last round, at the stop, Records nothing: the last Record of
a gateway is its `ledger.stop`, and the checkpoint over that is what everybody shall vouch for.
"""

import concurrent.futures
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from holdfast.clock import Clock, utc_text
from holdfast.errors import HoldfastError, LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger.draft import Draft
from holdfast.ledger.remote.access import Writable
from holdfast.witness import store
from holdfast.witness.rules import WitnessRule, WitnessRules
from holdfast.witness.standing import Member, Standing, Turn
from holdfast.witness.submit import NotVouchedError, Rule, Vouched, submit

FIRST_ROUND_S_MAX: Final = 15.0  # where Calls would be refused until it is over
_LOG: Final = logging.getLogger(__name__)


class Watch:
    """Has those in ``rules`` vouch for the ledger in ``data``; ``rules`` is asked every round, so a reload counts.

    :meth:`halt` before the gateway's last Record, :meth:`stop` once a checkpoint covers it. ``refusal`` and
    ``status_text`` may be called from any thread.
    """

    def __init__(self, ledger: Writable, data: Path, rules: Callable[[], WitnessRules], clock: Clock) -> None:
        self._ledger: Final = ledger
        self._data: Final = data
        self._rules: Final = rules
        self._clock: Final = clock
        self._outside: Final = store.open_outside(data, read_only=False)
        self._standing = self._stand(rules(), None)
        self._halted: Final = threading.Event()
        self._first: Final = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_stopped = False

    def start(self) -> None:
        """Begin. Waits for the first round where the rules refuse Calls that nobody vouches for."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="holdfast-witness", daemon=True)
            self._thread.start()
        if self._standing.rules.refuse_after_s is not None:
            self._first.wait(FIRST_ROUND_S_MAX)

    def halt(self) -> None:
        """No more rounds, and so no more Records."""
        self._halted.set()
        if self._thread is not None:
            self._thread.join()

    def stop(self) -> None:
        """Halt, have everybody vouch for the last checkpoint, and close. Stopping twice does nothing."""
        self.halt()
        if self._is_stopped:
            return
        self._is_stopped = True
        try:
            for member, _ in self._asked(everybody=True):
                if member.cause is not None:
                    _LOG.error(
                        "the %s %s has no word on the last checkpoint: %s", member.kind, member.name, member.reason
                    )
        except HoldfastError as error:
            _LOG.error("nobody could be asked about the last checkpoint: %s", error)
        finally:
            self._outside.close()

    def refusal(self) -> str | None:
        """Why Calls are refused now, or None."""
        return self._standing.refusal()

    def window_s(self) -> int | None:
        """Seconds since anybody outside vouched; None where nobody ever did."""
        return self._standing.window_s()

    def status_text(self) -> str:
        """For `holdfast.status`: the tamper window, and who is down."""
        standing = self._standing
        if standing.rules.is_empty:
            return "no witness"
        window_s = standing.window_s()
        text = "tamper window " + (f"{window_s} s" if window_s is not None else "open since the beginning")
        down = [f"{member.kind} {member.name} {member.reason}" for member in standing.members if member.is_down]
        return "; DOWN: ".join([text, *down])

    def round(self) -> None:
        """Ask everybody who is due, once, and Record who went down or came back."""
        rules = self._rules()
        if rules != self._standing.rules:
            self._standing = self._stand(rules, self._standing)
        for member, turn in self._asked(everybody=False):
            if turn is not None:
                self._record(member, turn)

    def _stand(self, rules: WitnessRules, before: Standing | None) -> Standing:
        standing = Standing(rules, self._clock)
        known = {(member.kind, member.name): member for member in before.members} if before else {}
        everybody: tuple[Rule, ...] = (*rules.witnesses, *rules.timestamps)
        for rule, member in zip(everybody, standing.members, strict=True):
            last = self._last(rule)
            if last is not None:
                standing.restore(member, last)
            conflict = self._outside.conflict_of(rule.key.to_text()) if isinstance(rule, WitnessRule) else None
            if conflict is not None:
                member.cause, member.reason, member.is_down = "conflict", conflict, True
            earlier = known.get((member.kind, member.name))
            if earlier is not None:
                member.is_down, member.cause, member.reason = earlier.is_down, earlier.cause, earlier.reason
        return standing

    def _last(self, rule: Rule) -> store.Last | None:
        if isinstance(rule, WitnessRule):
            return self._outside.last_cosigned(rule.key.to_text())
        return self._outside.last_stamped(rule.name)

    def _run(self) -> None:
        while not self._halted.is_set():
            try:
                self.round()
            except HoldfastError as error:
                _LOG.error("the witnesses were not asked: %s", error)
            except Exception:  # noqa: BLE001 -- see below
                # The thread must live: without it nobody vouches, and nobody would be told.
                _LOG.exception("the witnesses were not asked")
            self._first.set()
            self._halted.wait(self._standing.rules.every_s)
        self._first.set()

    def _asked(self, *, everybody: bool) -> list[tuple[Member, Turn | None]]:
        standing = self._standing
        rules: tuple[Rule, ...] = (*standing.rules.witnesses, *standing.rules.timestamps)
        pairs = list(zip(rules, standing.members, strict=True))
        due = [pair for pair in pairs if everybody or standing.is_due(pair[1])]
        if not due:
            return []
        with concurrent.futures.ThreadPoolExecutor(len(due), "holdfast-submit") as pool:
            outcomes = list(pool.map(lambda pair: self._submit(pair[0]), due))
        return [
            (member, self._take(rule, member, outcome)) for (rule, member), outcome in zip(due, outcomes, strict=True)
        ]

    def _submit(self, rule: Rule) -> Vouched | NotVouchedError:
        try:
            return submit(rule, self._data, self._outside, self._clock)
        except NotVouchedError as error:
            return error
        except LedgerError as error:
            return NotVouchedError("invalid", str(error))

    def _take(self, rule: Rule, member: Member, outcome: Vouched | NotVouchedError) -> Turn | None:
        if isinstance(outcome, NotVouchedError):
            was_known = member.cause == "conflict"
            turn = self._standing.failed(member, outcome.cause, str(outcome))
            if outcome.cause == "conflict" and isinstance(rule, WitnessRule):
                if not was_known:
                    self._outside.add_conflict(rule.name, rule.key.to_text(), str(outcome), self._clock.now_at())
                _LOG.error(
                    "CONFLICT: the witness %s %s. Either this ledger was rewritten or rolled back, or its key signs "
                    "elsewhere: compare both before anything else",
                    member.name,
                    outcome,
                )
            return turn
        return self._standing.vouched(member, outcome)

    def _record(self, member: Member, turn: Turn) -> None:
        body: JsonObject = {"witness": {"name": member.name, "kind": member.kind}}
        if member.head is not None:
            body["head"] = {"size": member.head[0], "root": member.head[1]}
        if member.since is not None:
            body["since"] = utc_text(member.since)
        if turn == "down":
            body |= {"reason": member.reason, "cause": member.cause}
            # No error: mitmproxy ends where one is logged while it starts, and what follows is for the rules to say.
            _LOG.warning("the %s %s is down: %s", member.kind, member.name, member.reason)
        else:
            _LOG.info("the %s %s vouches again", member.kind, member.name)
        try:
            self._ledger.append_blocking(Draft(f"witness.{turn}", body))
        except LedgerError as error:
            _LOG.error("witness.%s of %s could not be recorded: %s", turn, member.name, error)
