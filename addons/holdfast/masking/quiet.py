"""Presidio without its side effects: no network, no raw text in a log, no silent skip.

Three things that Presidio 2.2.366 does and a gateway must not:

- ``EmailRecognizer`` asks ``tldextract``, which fetches the public suffix list on its first use.
- Recognizers log the texts they fail on (``IbanRecognizer``: the whole candidate), and more at DEBUG.
- A pattern that runs into ``REGEX_TIMEOUT_SECONDS`` is skipped with a warning, and the text passes unscanned.

So the suffix list is the one that ships with tldextract, and the logger that each Presidio module holds is replaced by
one that keeps silent and turns a warning, which is how a skipped pattern shows, into an error. That does not depend on
log levels, handlers or ``logging.disable``, which anybody may change.
"""

import logging
import sys
from typing import Final, NoReturn

import tldextract.tldextract

REGEX_TIMEOUT_S: Final = 2  # per pattern and text; ordinary leaves take microseconds
_LOGGER_NAME: Final = "presidio-analyzer"


class SkippedError(Exception):
    """Presidio warned, so it skipped something. Carries no text of the warning, which may quote content."""


class _Alarm:
    """Stands in for Presidio's logger."""

    def debug(self, *_args: object, **_kwargs: object) -> None:
        """Silence: DEBUG lines quote words of the text."""

    info = debug
    # IbanRecognizer reports a candidate that is no IBAN as an error, quoting it; its answer (no match) is right.
    error = debug

    def warning(self, *_args: object, **_kwargs: object) -> NoReturn:
        """A pattern was skipped, or an entity is unknown: the result cannot be trusted."""
        raise SkippedError

    exception = critical = warning

    def isEnabledFor(self, _level: int) -> bool:  # noqa: N802 -- the name in logging.Logger
        """No level is."""
        return False


def quieten() -> None:
    """Take network, logging and silent skips away from every Presidio module imported so far. May run again."""
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(
        suffix_list_urls=(), cache_dir=None, fallback_to_snapshot=True
    )
    logging.getLogger(_LOGGER_NAME).disabled = True
    alarm = _Alarm()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "presidio_analyzer":
            continue
        if isinstance(getattr(module, "logger", None), logging.Logger):
            module.__dict__["logger"] = alarm
        if hasattr(module, "REGEX_TIMEOUT_SECONDS"):
            module.__dict__["REGEX_TIMEOUT_SECONDS"] = REGEX_TIMEOUT_S
