"""What a failed stage, or a failed server, means for the message that met it."""

import logging
from collections.abc import Awaitable, Callable

from holdfast.errors import Cause, HoldfastError, MaskingError, Refused
from holdfast.masking.unscanned import RULE as ON_FAILURE

log = logging.getLogger(__name__)


def of_server(refused: Refused) -> Refused:
    """Why a Reply did not come back. What is malformed there is no fault of the client, which must not be told so."""
    if refused.cause in (Cause.MALFORMED, Cause.TOO_LARGE, Cause.UNSUPPORTED):
        return Refused(Cause.SERVER_FAULT, f"the server's reply cannot be vouched for: {refused.reason}")
    return refused


def failure(error: Exception) -> Refused:
    """What a failed stage means for the message: the gateway cannot do its duty.

    The log gets the type and place of the error, never its text: an exception of a library may quote what it was given.
    """
    if isinstance(error, MaskingError):
        return _unmaskable(error)
    if isinstance(error, HoldfastError):
        log.error("a stage failed: %s", error)
    else:
        log.error("a stage failed: %s at %s", type(error).__name__, _place(error))
    return Refused(
        Cause.UNAVAILABLE,
        "the gateway cannot do its duty now",
        next_step="Nothing was passed on. Try again later, and tell the operator.",
    )


def _unmaskable(error: MaskingError) -> Refused:
    """A message that masking cannot vouch for: its sender may be told why, and can do something about it."""
    log.error("masking failed: %s", error)
    return Refused(
        Cause.UNAVAILABLE,
        f"the message cannot be masked: {error}",
        rule=ON_FAILURE,
        next_step="Nothing was passed on. Send less at once, or tell the operator.",
    )


async def or_cut[T](work: Awaitable[T], told: Callable[[Refused], None]) -> T | None:
    """What ``work`` on a stream comes to; None where the stream must be cut. The one place that decides so.

    ``told`` is told why it is cut, for the Record.
    """
    try:
        return await work
    except Refused as refused:
        log.warning("a stream was cut: %s", refused.reason)
        told(refused)
    except Exception as error:  # noqa: BLE001 -- a stage that failed lets nothing of the stream pass
        told(failure(error))
    return None


def _place(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else "unknown"
