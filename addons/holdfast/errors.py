"""The exceptions of Holdfast, and when each is raised.

::

    HoldfastError
    ├── Refused          the gateway's no to one Call, Reply or request; the gate turns it into an answer
    ├── RulesError       a rule file is wrong: names file, line and key, what was found, what to do
    ├── SettingsError    an option, a folder or a key file is wrong; the gateway does not start
    ├── LedgerError      a Record cannot be made durable, or the ledger does not verify
    ├── MaskingError     the masking engine failed or cannot vouch for its result
    ├── ApprovalError    a decision about a Hold is not acceptable (wrong approver, signature, time, digest)
    └── EvidenceError    a package cannot be built or does not verify

No message carries a value that masking would remove: rule ids, paths, sizes and counts only.
"""

import dataclasses
import enum

from holdfast.jsontext import JsonObject


class HoldfastError(Exception):
    """Base of every error that Holdfast raises on purpose."""


class Cause(enum.Enum):
    """Why something was refused. The value is the ``code`` that Records and answers carry."""

    UNAUTHENTICATED = "unauthenticated"  # no credential, or one that does not hold: HTTP 401
    FORBIDDEN = "forbidden"  # known Caller, wrong session, host or origin: HTTP 403
    MALFORMED = "malformed"  # bytes that are no message we forward: HTTP 400
    UNSUPPORTED = "unsupported"  # a method, content type or encoding we do not carry: HTTP 405 or 415
    TOO_LARGE = "too_large"  # over a limit: HTTP 413
    NOT_FOUND = "not_found"  # a path that is no MCP endpoint of this gateway: HTTP 404
    NO_SESSION = "no_session"  # unknown or ended MCP session: HTTP 404, so that clients initialise anew
    DENIED_BY_RULE = "denied_by_rule"  # an access rule, or none that allows: HTTP 200, JSON-RPC
    DENIED_BY_APPROVER = "denied_by_approver"  # a person said no: HTTP 200, JSON-RPC
    HOLD_EXPIRED = "hold_expired"  # nobody decided in time: HTTP 200, JSON-RPC
    HOLD_PENDING = "hold_pending"  # still undecided; repeat the same call: HTTP 200, JSON-RPC
    OVER_BUDGET = "over_budget"  # more calls or bytes than a budget has: HTTP 200, JSON-RPC
    SERVER_FAULT = "server_fault"  # the MCP server answered with what cannot be vouched for: HTTP 502
    UNAVAILABLE = "unavailable"  # the gateway cannot do its duty: HTTP 503


@dataclasses.dataclass(frozen=True, slots=True)
class Specified:
    """An error that MCP 2026-07-28 itself names: its JSON-RPC code and data. HTTP 400 carries it in every era."""

    code: int
    data: JsonObject


class Refused(HoldfastError):  # noqa: N818 -- the word of the design for the gateway's no
    """The gateway's no: what is refused, by which rule, and what the Caller can do next.

    ``reason`` and ``next_step`` are shown to clients and kept in Records, so they never quote content.
    ``rule`` is the id of the rule that decided, ``ticket`` the Hold to repeat the call for. ``resume`` is the result by
    which a client of the modern era comes back by itself, where it can; ``specified`` the error that such a client
    knows it by.
    """

    def __init__(
        self,
        cause: Cause,
        reason: str,
        *,
        rule: str | None = None,
        next_step: str = "",
        ticket: str | None = None,
        resume: JsonObject | None = None,
        specified: Specified | None = None,
    ) -> None:
        super().__init__(reason)
        self.cause = cause
        self.reason = reason
        self.rule = rule
        self.next_step = next_step
        self.ticket = ticket
        self.resume = resume
        self.specified = specified


class RulesError(HoldfastError):
    """A rule file does not parse. The gateway does not start, or keeps the rules it has."""

    def __init__(self, file: str, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"{file}:{line}: {problem}. {remedy}")
        self.file = file
        self.line = line
        self.problem = problem
        self.remedy = remedy


class SettingsError(HoldfastError):
    """An option, folder or key is not usable. The gateway does not start."""


class LedgerError(HoldfastError):
    """A Record is not durable, or a ledger does not verify; says which check failed at which Record."""


class MaskingError(HoldfastError):
    """The masking engine cannot vouch for a text; the message is refused."""


class ApprovalError(HoldfastError):
    """A decision about a Hold is not acceptable; the Hold stays as it was."""


class EvidenceError(HoldfastError):
    """A package cannot be built or does not verify; says which step and which file."""
