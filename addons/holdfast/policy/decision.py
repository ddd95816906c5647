"""What judging a Call comes to: it may pass, it may not, or a person decides."""

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.policy.holding import HoldRule


@dataclasses.dataclass(frozen=True, slots=True)
class Allow:
    """The Call may pass; ``rule`` is the id of the rule that says so."""

    rule: str


@dataclasses.dataclass(frozen=True, slots=True)
class Deny:
    """The Call may not pass. ``rule`` is None where no rule spoke; ``reason`` never quotes the Call."""

    rule: str | None
    reason: str


@dataclasses.dataclass(frozen=True, slots=True)
class Hold:
    """The Call waits for an Approval under ``rule``."""

    rule: "HoldRule"


type Decision = Allow | Deny | Hold
