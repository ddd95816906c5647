"""A value that the engine cannot vouch for: it timed out over it, failed, or the value is over a limit.

The rules say what becomes of it (`on_failure`): the whole value is masked and the message goes on, or the message is
refused. Either way there is a Finding of its own; nothing passes unscanned.
"""

from typing import Final, Literal

from holdfast.errors import MaskingError

type OnFailure = Literal["refuse", "mask"]

ON_FAILURES: Final[tuple[OnFailure, ...]] = ("refuse", "mask")
UNSCANNED: Final = "UNSCANNED"  # the entity of such a Finding
MASK: Final = f"<{UNSCANNED}>"
RULE: Final = "on-failure"
RECOGNIZER: Final = "engine"
_PATH_CHARS_MAX: Final = 200


class LeafError(MaskingError):
    """One text, number or name cannot be vouched for; the rest of the message may be."""

    def at(self, path: str) -> MaskingError:
        """The refusal of the message: what is wrong, and where. ``path`` is masked."""
        return MaskingError(f"{self}, at {path[:_PATH_CHARS_MAX] or '/'}")
