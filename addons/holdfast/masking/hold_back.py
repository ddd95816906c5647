"""``streams:`` in ``rules/masking.yaml``: how long events that end in half a value wait for the next."""

from typing import Final

from holdfast.masking.entries import Streams
from holdfast.policy.document import Section

HOLD_BACK_MS_MAX: Final = 5_000  # clients show what a tool says while it works; later it is no news
HOLD_BACK_CHARS_MIN: Final = 16  # shorter beginnings are no value yet
HOLD_BACK_CHARS_MAX: Final = 256  # as far as the seam of two texts is searched


def streams_of(section: Section) -> Streams:
    """What the file ``section`` says about events that wait.

    Raises:
        RulesError: a value beyond its limits, or an unknown key; names file and line.
    """
    entry = section.section("streams")
    if not entry:
        return Streams()
    streams = Streams(
        entry.integer("hold_back_ms", Streams().hold_back_ms, low=0, high=HOLD_BACK_MS_MAX),
        entry.integer("hold_back_chars", Streams().hold_back_chars, low=HOLD_BACK_CHARS_MIN, high=HOLD_BACK_CHARS_MAX),
    )
    entry.done()
    return streams
