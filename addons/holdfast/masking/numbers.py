"""Whether a try is a telephone number, and in which regions: the library's judgement, by the shortest way to it."""

from collections.abc import Sequence
from typing import Any, Final

import phonenumbers
from phonenumbers import phonenumbermatcher as upstream

from holdfast.masking.budget import Budget
from holdfast.masking.dialled import CHARS_MAX, DIGITS_MIN, before_extension, is_valid, is_valid_abroad
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

    def valid(self, part: str, budget: Budget) -> Sequence[str]:
        """The regions in which ``part`` is a number.

        Raises:
            MaskingError: the message takes too long.
        """
        known = budget.numbers.get(part)
        if known is None:
            budget.spend(TRY_CHARS)
            known = budget.numbers[part] = self._judged(part)
        return known

    def _judged(self, part: str) -> tuple[str, ...]:
        digits = plain_digits(part) if self.is_gated else None
        possible = self._regions if digits is None else self._nationals.possible(digits)
        if not possible or not _BRACKETS.fullmatch(part) or _PAGES.search(part):
            return ()
        if self._leniency != phonenumbers.Leniency.VALID or len(part) > CHARS_MAX:
            return self._parsed(part, possible)
        if digits is not None:
            return _dialled(digits, possible)
        verdict = self._abroad(part)
        if verdict is None:
            number = before_extension(part)
            if number is not None:
                verdict = self._abroad(number) if number[:1] == "+" else self._at_home(number)
        return self._parsed(part, possible) if verdict is None else verdict

    def _abroad(self, number: str) -> tuple[str, ...] | None:
        """Everywhere, if ``number`` is one behind a plus sign; None where only the library can tell."""
        digits = plain_digits(number[1:]) if number[:1] == "+" else None
        verdict = is_valid_abroad(digits) if digits is not None else None
        return None if verdict is None else self._regions if verdict else ()

    def _at_home(self, number: str) -> tuple[str, ...] | None:
        """The regions that dial ``number``; None where only the library can tell."""
        digits = plain_digits(number)
        return None if digits is None else _dialled(digits, self._nationals.possible(digits))

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


def _dialled(digits: str, possible: Sequence[str]) -> tuple[str, ...]:
    return tuple([one for one in possible if is_valid(digits, one)]) if len(digits) >= DIGITS_MIN else ()
