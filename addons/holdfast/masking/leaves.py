"""One text or number: what travels in its place, and what is kept."""

import dataclasses
from collections.abc import Callable, Container, Sequence
from typing import Final

from holdfast.call import Direction
from holdfast.errors import MaskingError
from holdfast.masking.budget import Budget
from holdfast.masking.creeping import CREEPING_ROUNDS, rows
from holdfast.masking.entries import EntityRule
from holdfast.masking.force import Force
from holdfast.masking.named.values import Values
from holdfast.masking.noted import Noted, Report
from holdfast.masking.numerals import DIGITS_MAX, DIGITS_MIN, digits_of, number_of, numeral
from holdfast.masking.operators import mask_value
from holdfast.masking.place import LEAVES_MAX, Before, Place
from holdfast.masking.preserving import Accepts
from holdfast.masking.recurring import recurring
from holdfast.masking.sealing import seal
from holdfast.masking.spans import Span, merge
from holdfast.masking.spellings import plainly
from holdfast.masking.tools import Tools
from holdfast.masking.unscanned import MASK, LeafError

ROUNDS_MAX: Final = 8  # a mask can only create a match where an own pattern matches masks; that never needs eight
_LEAVES_UNCHECKED: Final = 256  # leaves between two looks at the clock
FORMED_ROUNDS: Final = 4  # masks in the form of a value may make matches with what stands beside them; then no more
_NO_END: Final = "masking a text does not come to an end; an own pattern matches its own mask"


class Leaves:
    """Masks the leaves of one message and collects the findings."""

    def __init__(self, tools: Tools, values: Values, direction: Direction, budget: Budget) -> None:
        self._tools = tools
        self._values = values
        self._budget = budget
        self._entities = tools.entities
        self.noted = Noted(tools, direction, budget)
        self._count = 0
        self._named: dict[str, list[Span]] = {}  # of texts that were looked at
        self._sealed: dict[tuple[str, str], str | None] = {}
        self.late_count = 0

    def count(self) -> None:
        """One more leaf.

        Raises:
            MaskingError: the message has too many.
        """
        self._count += 1
        if self._count > LEAVES_MAX:
            raise MaskingError(f"the message has more than {LEAVES_MAX} texts, numbers, names, arrays and objects")
        if not self._count % _LEAVES_UNCHECKED:
            self._budget.begin_leaf()
            self._budget.look()

    def _scan(self, text: str, context: tuple[str, ...], *, again: bool = False) -> Sequence[Span]:
        """What is found in ``text``, and what it names itself, in order."""
        if self._tools.scanner.is_mask(text):  # as is most of what is looked at once more
            return ()
        self._budget.is_again = again
        try:
            found = self._tools.scan(text, context, self._budget)
        finally:
            self._budget.is_again = False
        named = self._named.get(text)
        if named is None:
            named = self._named[text] = self._values.spans(text, self._budget)
        spans = recurring(text, (*found, *named) if named else found, self._budget.spend)
        return spans if spans is found else sorted(spans, key=lambda span: (span.start, span.end))

    def treated(self, entity: str, value: str) -> tuple[str, bool, bool]:
        """The mask of ``value``, whether masks of ``entity`` travel, and whether messages with it may not."""
        return self._mask(value, entity), entity in self.noted.travelling, entity in self.noted.refusing

    def withdraw(self, entity: str, value: str) -> None:
        """The mask of ``value`` stands for nothing any more: it was made of a part of one."""
        self.noted.withdraw(entity, self._mask(value, entity))

    def plain(self, text: str, place: Place, *, keeps: bool = True) -> tuple[str, str]:
        """``text`` as it travels and as it is kept, every span masked, in a form that the place's schema admits.

        ``keeps`` is False where another text is kept, and so only what travels is asked for.
        """
        count = len(self.noted.findings)
        pair = self._plain(text, place, None, keeps=keeps)
        schema = place.schema
        if schema is None or not place.travels or pair[0] == text or schema.admits(pair[0]) or not schema.admits(text):
            return pair
        found = self.noted.findings[count:]
        formed = self._plain(text, place, schema.admits, keeps=keeps)
        self.noted.findings[count:] = found
        return formed if schema.admits(formed[0]) else pair

    def _plain(self, text: str, place: Place, accepts: Accepts | None, *, keeps: bool = True) -> tuple[str, str]:
        spans = self._scan(text, place.context) if keeps or place.travels else ()
        if not spans:
            return text, text
        self.noted.look(spans, place)
        all_travel = all(span.entity in self.noted.travelling for span in spans)
        kept = text
        if keeps or all_travel:
            kept = self._settle(text, place.context, self._entities, self.noted.finder(place), accepts)
        if not place.travels:
            return text, kept
        if all_travel:
            return kept, kept
        return self._settle(text, place.context, self.noted.travelling, self.noted.issuer(place), accepts), kept

    def part(self, text: str, at: int, before: Before, place: Place) -> tuple[str, str] | None:
        """``text[:at]``, the next part of a text, masked with regard to all of it; None where a finding crosses ``at``.

        Of a span that began before ``text`` the rest is masked.
        """
        spans = self.spans(text, before.raw, place.context)
        late = [span for span in spans if span.start < 0]
        self.noted.look([span for span in spans if span.start < at], place)
        kept = self._settle_part(text, at, place, self._entities, (before.raw, before.kept))
        if kept is None or not place.travels:
            return None if kept is None else (text[:at], kept)
        forward = self._settle_part(text, at, place, self.noted.travelling, (before.raw, before.forwarded))
        self.late_count += len(late) if forward is not None else 0
        return None if forward is None else (forward, kept)

    def spans(self, text: str, before: str, context: tuple[str, ...], *, again: bool = False) -> list[Span]:
        """The spans that reach into ``text``, counted from its beginning: one that began in ``before`` is below 0."""
        found, size = self._scan(before + text, context, again=again), len(before)
        moved = (dataclasses.replace(span, start=span.start - size, end=span.end - size) for span in found)
        return [span for span in moved if span.end > 0]

    def _settle_part(
        self, text: str, at: int, place: Place, wanted: Container[str], befores: tuple[str, str]
    ) -> str | None:
        found: list[tuple[Span, str, str]] = []
        for count in range(ROUNDS_MAX):
            form = _no_form if count >= FORMED_ROUNDS else None
            found_now = self.spans(text, befores[count > 0], place.context, again=count > 0)
            spans = [span for span in found_now if span.entity in wanted]
            if any(span.start < at < span.end for span in spans):
                return None
            gone = [span for span in spans if span.end <= at]
            left = [dataclasses.replace(span, start=span.start - at, end=span.end - at) for span in spans[len(gone) :]]
            if count >= CREEPING_ROUNDS:
                gone, left = list(rows(text[:at], gone)), list(rows(text[at:], left))
            part, rest = (
                self._round(text[:at], gone, lambda *one: found.append(one), form),
                self._round(text[at:], left, None, form),
            )
            if part + rest == text:
                self._report(found if wanted is self._entities else [], place)
                return part
            text, at = part + rest, len(part)
        raise LeafError(_NO_END)

    def _report(self, found: list[tuple[Span, str, str]], place: Place) -> None:
        report = self.noted.finder(place)
        for one in found:
            report(*one)

    def _settle(
        self,
        text: str,
        context: tuple[str, ...],
        wanted: Container[str],
        report: Report | None,
        accepts: Accepts | None,
    ) -> str:
        for count in range(ROUNDS_MAX):
            if count == FORMED_ROUNDS:
                accepts = _no_form
            spans = [span for span in self._scan(text, context, again=count > 0) if span.entity in wanted]
            spans = list(rows(text, spans)) if count >= CREEPING_ROUNDS else spans
            masked = self._round(text, spans, report, accepts)
            if masked == text:
                return text
            text = masked
        raise LeafError(_NO_END)

    def _round(self, text: str, spans: list[Span], report: Report | None, accepts: Accepts | None = None) -> str:
        parts: list[str] = []
        at = 0
        for span in self._budget.each(merge(spans)):
            value = text[max(0, span.start) : span.end]  # of a span that crosses the ends of a part, what is in it
            # What is asked of the whole text says nothing about a part of it, but that it has a form.
            fits = accepts if accepts in (None, _no_form) or len(value) == len(text) else bool
            mask = self._mask(value, span.entity, fits)
            if report is not None and mask != value:
                report(span, value, mask)
            parts += [text[at : max(0, span.start)], mask]
            at = span.end
        return "".join((*parts, text[at:]))

    def guarded(self, work: Callable[[str, Place], tuple[str, str]], text: str, place: Place) -> tuple[str, str]:
        """What ``work`` makes of ``text``; where that cannot be vouched for, what the rules say becomes of it then.

        Raises:
            MaskingError: the rules refuse the message, or somebody with more time is to try.
        """
        try:
            return work(text, place)
        except LeafError as error:
            mask = self._unscanned(len(text), place, error)
            return (mask if place.travels else text), mask

    def _unscanned(self, length: int, place: Place, error: LeafError) -> str:
        if not self._budget.is_final:
            raise error
        if self._tools.on_failure == "refuse":
            raise error.at(place.path) from None
        self.noted.unscanned(length, place)
        return MASK

    def forced(self, text: str, place: Place) -> tuple[str, str] | None:
        """``text`` masked whole, where a key or path rule asks for that; None where none does."""
        force = self._force(text, place)
        if force is None:
            return None
        if self._tools.is_mask(text, force.entity):
            return text, text
        mask, schema = self._mask(text, force.entity), place.schema
        if schema is not None and schema.admits(text) and not schema.admits(mask):
            mask = self._mask(text, force.entity, schema.admits)
        if mask == text:
            return text, text
        self.noted.forced(force, len(text), place)
        if place.travels and force.entity in self.noted.travelling:
            self.noted.issue(force.entity, text, mask)
            return mask, mask
        return self.unreported().plain(text, place, keeps=False)[0], mask

    def unreported(self) -> "Leaves":
        """These leaves, but what is found goes into no report: a text that was reported already, as it travels."""
        quiet = Leaves(self._tools, self._values, Direction.TO_SERVER, self._budget)
        quiet.noted = self.noted.without_findings()
        return quiet

    def number(self, value: float, place: Place) -> tuple[int | float, int | float | str]:
        """A number as it travels (0 where it is masked: it must stay a number) and as it is kept."""
        try:
            return self._number(value, place)
        except LeafError as error:
            mask = self._unscanned(len(str(value)), place, error)
            return (0 if place.travels else value), mask

    def _number(self, value: float, place: Place) -> tuple[int | float, int | float | str]:
        text = digits_of(value)
        force = self._force(str(value) if text is None else text, place) if value else None
        if force is not None:
            return self._forced_number(value, str(value) if text is None else text, force, place)
        if text is None or not DIGITS_MIN <= len(text) <= DIGITS_MAX:
            return value, value
        forward, kept = self._plain(text, place, number_of(value, place.schema))
        return numeral(forward, text, value) or 0, numeral(kept, text, value) or kept

    def _forced_number(
        self, value: float, shown: str, force: Force, place: Place
    ) -> tuple[int | float, int | float | str]:
        if self._tools.is_mask(shown, force.entity):
            return value, value
        self.noted.forced(force, len(shown), place)
        mask = self._mask(shown, force.entity, number_of(value, place.schema))
        kept = numeral(mask, shown, value) or mask
        if not place.travels or force.entity not in self.noted.travelling:
            return value, kept
        self.noted.issue(force.entity, shown, mask)
        return numeral(mask, shown, value) or 0, kept

    def _mask(self, value: str, entity: str, accepts: Accepts | None = None) -> str:
        rule = self._entities[entity]
        sealed = self._seal(value, rule) if rule.operator == "encrypt" else None
        return mask_value(plainly(value), rule, self._tools.key, accepts) if sealed is None else sealed

    def _seal(self, value: str, rule: EntityRule) -> str | None:
        """The encrypted mask of ``value``, which has one in a message; None where it is too long."""
        named = (rule.entity, value)
        if named not in self._sealed:
            self._budget.look()
            holder = self._tools.holders[rule.key_holder]
            self._sealed[named] = seal(value, rule.entity, holder, self._tools.key)
        return self._sealed[named]

    def _force(self, text: str, place: Place) -> Force | None:
        if place.force is None:
            return None
        try:
            # The digits of a mask are not those of the value that it stands for, nor is what it leaves a name.
            said = self._tools.without_masks(text)
            is_wanted = all(place.force.wants(one, self._budget.search_s) for one in {said, text})
        except TimeoutError:
            raise LeafError(f"rule {place.force.id} takes too long over a value") from None
        return place.force if is_wanted else None


def _no_form(_mask: str) -> bool:
    """What accepts masks in the form of a value where there have been enough of them."""
    return False
