"""Context reaches over any number of marks: a value in escapes behind a padded column is found beside new masks."""

import pytest
from tests.live.harness.warm import masker_of
from tests.masking.conftest import KEY

from holdfast.masking.entries import MaskingRules

BEFORE = "tel | ipsum | 9876543210 | token=abcdefgh12345 | 555 2368"


@pytest.mark.parametrize("padding", ["-" * 100, " " * 100, "." * 300])
@pytest.mark.parametrize(
    ("before", "value"),
    [
        (BEFORE, "212&nbsp;555&nbsp;2368"),
        ("SSN: 219-09-9999 account 030 12345678 212 555 2368 4111 1111 1111 1111", "\uff12\uff11\uff12555\uff12368"),
        ("passport\tMonday\tis\tdriver\t078-05-1120\t00491711234567", "1970%2D03%2D05\t00491711234567"),
    ],
)
def test_a_value_in_escapes_far_behind_the_masks_that_bring_it_near_is_masked(
    shipped_rules: MaskingRules, before: str, value: str, padding: str
) -> None:
    masker = masker_of(shipped_rules, KEY)
    kept = masker.keep_text(f"{before} {padding}{value}")
    assert value.rsplit("\t", maxsplit=1)[-1] not in kept
    assert masker.keep_text(kept) == kept
