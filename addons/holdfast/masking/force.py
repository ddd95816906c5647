"""A rule that masks a value whatever it holds."""

from typing import Protocol


class Force(Protocol):
    """A rule that masks a value whatever it holds: a key rule or a path rule."""

    @property
    def id(self) -> str:
        """The rule's id."""

    @property
    def entity(self) -> str:
        """The entity whose operator applies."""

    def wants(self, text: str, timeout_s: float) -> bool:
        """Whether the rule is about this value. Raises TimeoutError after so many seconds."""
