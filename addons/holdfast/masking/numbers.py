"""Whether a try is a telephone number, and in which regions: the library's judgement, by the shortest way to it."""

from collections.abc import Sequence
from typing import Any, Final

import phonenumbers
from phonenumbers import phonenumbermatcher as upstream

from holdfast.masking.budget import Budget
from holdfast.masking.dialled import CHARS_MAX, DIGITS_MIN, is_valid, is_valid_abroad, prepare, reading_of
from holdfast.masking.national import Nationals, plain_digits

TRY_CHARS: Final = 64  # what one try costs, in characters given to a pattern
_BRACKETS: Final[Any] = upstream._MATCHING_BRACKETS  # noqa: SLF001 -- as the matcher does
_PAGES: Final[Any] = upstream._PUB_PAGES  # noqa: SLF001 -- same


class Numbers:
    """The numbers of some regions."""

    def __init__(self, regions: tuple[str, ...], leniency: int) -> None:
        self._regions = regions
        self._leniency = leniency
        self._nationals = Nationals(regions)
        self.is_gated = leniency >= phonenumbers.Leniency.VALID
        for region in regions:
            prepare(region)

    def valid(self, part: str, budget: Budget) -> Sequence[str]:
        """The regions in which ``part`` is a number.

        Raises:
            MaskingError: the message takes too long.
        """
        known = budget.numbers.get(part)
        if known is None:
            budget.spend(TRY_CHARS)
            known = budget.numbers[part] = self._judged(part, budget)
        return known

    def _judged(self, part: str, budget: Budget) -> Sequence[str]:
        digits = plain_digits(part) if self.is_gated else None
        is_plain = digits is not None and self._leniency == phonenumbers.Leniency.VALID and len(part) <= CHARS_MAX
        if digits is None:
            valid: Sequence[str] = self._regions
        else:
            valid = self._dialled(digits, budget) if is_plain else self._nationals.possible(digits)
        if not valid or not _BRACKETS.fullmatch(part) or _PAGES.search(part):
            return ()
        return valid if is_plain else self._marked(part, valid, budget)

    def _marked(self, part: str, possible: Sequence[str], budget: Budget) -> Sequence[str]:
        """The same of a try in which more stands than digits and separators."""
        if self._leniency != phonenumbers.Leniency.VALID or len(part) > CHARS_MAX:
            return self._parsed(part, possible)
        verdict = self._abroad(plain_digits(part[1:]) if part[:1] == "+" else None)
        if verdict is not None:
            return verdict
        reading = reading_of(part)
        if reading is None:
            return ()
        if reading.is_abroad:
            verdict = self._abroad(reading.digits)
        elif reading.is_spelled:
            verdict = self._nationals.fitting(reading.digits)
        elif reading.digits == reading.written:
            verdict = self._dialled(reading.digits, budget)
        else:  # whether there is a prefix is asked of what is written, extension and all
            fitting = self._nationals.fitting(reading.digits) if len(reading.digits) >= DIGITS_MIN else ()
            verdict = tuple([one for one in fitting if is_valid(reading.digits, one, reading.written)])
        if verdict is None:
            return self._parsed(part, possible)
        return verdict if reading.is_certain or not verdict else self._parsed(part, verdict)

    def _abroad(self, digits: str | None) -> Sequence[str] | None:
        """Everywhere, if ``digits`` behind a plus sign are a number; None where only the library can tell."""
        verdict = is_valid_abroad(digits) if digits is not None else None
        return None if verdict is None else self._regions if verdict else ()

    def _dialled(self, digits: str, budget: Budget) -> Sequence[str]:
        """The regions that dial ``digits``, however they are written."""
        known = budget.dialled.get(digits)
        if known is None:
            possible = self._nationals.possible(digits) if len(digits) >= DIGITS_MIN else ()
            known = budget.dialled[digits] = tuple([one for one in possible if is_valid(digits, one)])
        return known

    def _parsed(self, part: str, possible: Sequence[str]) -> tuple[str, ...]:
        valid: list[str] = []
        for region in possible:
            try:
                number = phonenumbers.parse(part, region, keep_raw_input=True)
            except phonenumbers.NumberParseException:
                continue
            matcher = phonenumbers.PhoneNumberMatcher(part, region, leniency=self._leniency)
            is_verified = upstream._verify(self._leniency, number, part, matcher)  # noqa: SLF001 -- the judge
            if number.country_code_source == phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN:
                return self._regions if is_verified else ()  # it means the same everywhere
            if is_verified:
                valid.append(region)
        return tuple(valid)
