"""What is noted while a message is masked: findings, what must be refused, and masks that may come back as values."""

from collections.abc import Callable, Sequence
from typing import Final

from holdfast.call import Direction
from holdfast.masking.budget import Budget
from holdfast.masking.finding import Finding, Issued
from holdfast.masking.force import Force
from holdfast.masking.named.values import KEY_RECOGNIZER
from holdfast.masking.place import Place
from holdfast.masking.spans import Span
from holdfast.masking.spellings import plainly
from holdfast.masking.tools import Tools
from holdfast.masking.unscanned import RECOGNIZER, RULE, UNSCANNED

ISSUED_COUNT_MAX: Final = 5_000  # of one message, as many as a Caller may have at all; later masks stay masks
ISSUED_CHARS_MAX: Final = 1_024  # a longer value is a text, which nobody sends as an argument

type Report = Callable[[Span, str, str], object]  # what was found, its characters, and their mask


class Noted:
    """What is known of one message so far."""

    def __init__(self, tools: Tools, direction: Direction, budget: Budget) -> None:
        self._tools = tools
        self._direction = direction
        self._budget = budget
        self.travelling = {name for name, rule in tools.entities.items() if rule.travels(direction)}
        self.refusing = {name for name in self.travelling if tools.entities[name].operator == "refuse"}
        self._issues = direction is Direction.TO_CLIENT and any(rule.restores for rule in tools.entities.values())
        self.issued: dict[tuple[str, str], Issued] = {}
        self.findings: list[Finding] = []
        self.refused: list[Finding] = []

    def without_findings(self) -> "Noted":
        """These notes, but for findings: those go nowhere."""
        quiet = Noted(self._tools, self._direction, self._budget)
        quiet.issued, quiet.refused = self.issued, self.refused
        return quiet

    def forced(self, force: Force, length: int, place: Place) -> None:
        """A key or path rule masks a value of ``length`` characters."""
        version = self._tools.versions.of(force.id)
        self.findings.append(Finding(force.id, force.entity, place.path, length, 1.0, KEY_RECOGNIZER, version))
        if place.travels and force.entity in self.refusing:
            self.refused.append(self.findings[-1])

    def unscanned(self, length: int, place: Place) -> None:
        """A text of ``length`` characters is masked because nobody can vouch for it."""
        self.findings.append(Finding(RULE, UNSCANNED, place.path, length, 1.0, RECOGNIZER))

    def look(self, spans: Sequence[Span], place: Place) -> None:
        """See whether the message must be refused: also for what another finding in the same place speaks for."""
        for span in spans if self.refusing and place.travels else ():
            if span.entity in self.refusing and not self.refused:
                self.refused.append(self._finding(span, place))

    def finder(self, place: Place) -> Report:
        """What takes down each span that is masked at ``place``, and its mask where that may come back."""
        issue = self.issuer(place)

        def found(span: Span, value: str, mask: str) -> None:
            self.findings.append(self._finding(span, place))
            if issue is not None:
                issue(span, value, mask)

        return found

    def issuer(self, place: Place) -> Report | None:
        """What takes down masks that may come back, and nothing else; None where there can be none."""
        if not self._issues or not place.travels:
            return None
        return lambda span, value, mask: self.issue(span.entity, value, mask)

    def issue(self, entity: str, value: str, mask: str) -> None:
        """``mask`` travels in the place of ``value``.

        Raises:
            MaskingError: the message takes too long.
        """
        rule = self._tools.entities[entity]
        if not (self._issues and rule.restores and entity in self.travelling) or len(self.issued) >= ISSUED_COUNT_MAX:
            return
        # Of a value with a mask in it nobody knows any more what the server said.
        if len(value) > ISSUED_CHARS_MAX or self._tools.scanner.without_masks(value) != value:
            return
        if self._stands_out(value):
            self.issued[mask, value] = Issued(mask, entity, rule.id, plainly(value))

    def withdraw(self, entity: str, mask: str) -> None:
        """``mask``, which may have travelled, stands for no value."""
        rule = self._tools.entities[entity]
        if self._issues and rule.restores:
            self.issued[mask, ""] = Issued(mask, entity, rule.id, "")

    def _stands_out(self, value: str) -> bool:
        """Whether ``value`` is found wherever it is said.

        A server that is sent it may say it again, where no member's name and no word speak for it: then the Caller, and
        the ledger, would have it after all.
        """
        spans = self._tools.scanner.scan(value, (), self._budget)
        return any(span.start == 0 and span.end == len(value) and span.entity in self.travelling for span in spans)

    def _finding(self, span: Span, place: Place) -> Finding:
        version = self._tools.versions.of(span.rule if span.recognizer == KEY_RECOGNIZER else span.recognizer)
        return Finding(span.rule, span.entity, place.path, span.length, span.score, span.recognizer, version)
