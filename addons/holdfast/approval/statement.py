"""The signed statement: who decided what about which exact Call, seen how, under which rules, for how long.

A statement is canonical JSON in a DSSE envelope. It names the Hold, the digest of the request and the digest of the
text that was shown, so a signature given for one Call is good for no other. Members::

    v 1 · hold · decision "approve" | "deny" · request, view (hex digests) · requester {iss, sub} · rule · rules (hex)
    approver · reason · not_before, expires (RFC 3339, microseconds, Z) · nonce (hex) · max_uses 1
    token (hex)  only where the approver proved who they are by a token and the gateway signed for them

Standard library only, so that a verifier of evidence can use it as it is.
"""

import dataclasses
import datetime as dt
import re
from typing import Final, Literal, cast

from holdfast import jsontext
from holdfast.approval.dsse import Verify, parse_envelope
from holdfast.clock import utc_parse, utc_text
from holdfast.errors import ApprovalError
from holdfast.jsontext import JsonObject

PAYLOAD_TYPE: Final = "application/vnd.holdfast.approval.v1+json"
STATEMENT_BYTES_MAX: Final = 16 * 1024  # as a Record; identities are the longest part of it
REASON_CHARS_MAX: Final = 500  # a sentence or two; it stands in a Record of at most 16 KiB
_TEXT_CHARS_MAX: Final = 2048  # issuer URLs and subjects of identity providers stay far below

HOLD_ID: Final = re.compile(r"H-[A-Z2-7]{10}")
_HEX32: Final = re.compile(r"[0-9a-f]{64}")
_NONCE: Final = re.compile(r"[0-9a-f]{32}")

type Choice = Literal["approve", "deny"]
type Assurance = Literal["signature", "token"]


@dataclasses.dataclass(frozen=True, slots=True)
class Statement:
    """A decision as it is signed. Digests are lower-case hex; ``approver`` is the approver's id in Records.

    ``token_digest_hex`` is None where the approver's own key signs.
    """

    hold: str
    decision: Choice
    request_digest_hex: str
    view_digest_hex: str
    requester: tuple[str, str]
    rule: str
    rules_digest_hex: str
    approver: str
    reason: str
    not_before_at: dt.datetime
    expires_at: dt.datetime
    nonce: str
    token_digest_hex: str | None = None

    @property
    def assurance(self) -> Assurance:
        """How far the signature reaches: the approver's own, or the gateway's word about a token."""
        return "signature" if self.token_digest_hex is None else "token"

    def to_json(self) -> JsonObject:
        """The members as they are signed."""
        token: JsonObject = {} if self.token_digest_hex is None else {"token": self.token_digest_hex}
        members: JsonObject = {
            "v": 1,
            "hold": self.hold,
            "decision": self.decision,
            "request": self.request_digest_hex,
            "view": self.view_digest_hex,
            "requester": {"iss": self.requester[0], "sub": self.requester[1]},
            "rule": self.rule,
            "rules": self.rules_digest_hex,
            "approver": self.approver,
            "reason": self.reason,
            "not_before": utc_text(self.not_before_at),
            "expires": utc_text(self.expires_at),
            "nonce": self.nonce,
            "max_uses": 1,
        }
        return members | token

    def to_bytes(self) -> bytes:
        """The statement as canonical JSON: the payload of the envelope."""
        return jsontext.canonical(self.to_json())


def parse_statement(data: bytes) -> Statement:
    """The statement that ``data`` spells in the one permitted way.

    Raises:
        ApprovalError: too large, not canonical, or any member missing, unknown or of another form.
    """
    if len(data) > STATEMENT_BYTES_MAX:
        raise ApprovalError(f"the statement has more than {STATEMENT_BYTES_MAX} bytes")
    try:
        value = jsontext.parse(data)
    except jsontext.JsonError as error:
        raise ApprovalError(f"the statement is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise ApprovalError("the statement is no JSON object")
    try:
        statement = _statement(value)
    except (KeyError, ValueError):
        raise ApprovalError("the statement lacks a member, or one has another form") from None
    # Catches unknown members, other versions and numbers, and every second spelling.
    if statement.to_bytes() != data:
        raise ApprovalError("the statement is not spelled canonically")
    return statement


def _statement(value: JsonObject) -> Statement:
    decision = value["decision"]
    requester = value["requester"]
    if decision not in ("approve", "deny") or not isinstance(requester, dict):
        raise ValueError
    return Statement(
        hold=_match(HOLD_ID, value["hold"]),
        decision=cast("Choice", decision),
        request_digest_hex=_match(_HEX32, value["request"]),
        view_digest_hex=_match(_HEX32, value["view"]),
        requester=(_text(requester["iss"]), _text(requester["sub"])),
        rule=_text(value["rule"]),
        rules_digest_hex=_match(_HEX32, value["rules"]),
        approver=_text(value["approver"]),
        reason=_text(value["reason"], chars_max=REASON_CHARS_MAX),
        not_before_at=utc_parse(_text(value["not_before"])),
        expires_at=utc_parse(_text(value["expires"])),
        nonce=_match(_NONCE, value["nonce"]),
        token_digest_hex=_match(_HEX32, value["token"]) if "token" in value else None,
    )


def _text(value: object, *, chars_max: int = _TEXT_CHARS_MAX) -> str:
    if not isinstance(value, str) or len(value) > chars_max:
        raise ValueError
    return value


def _match(pattern: re.Pattern[str], value: object) -> str:
    text = _text(value)
    if not pattern.fullmatch(text):
        raise ValueError
    return text


def verify_statement(envelope: bytes, public: bytes, verify: Verify) -> Statement:
    """The statement in ``envelope``, once ``public`` is known to have signed it.

    Args:
        envelope: a DSSE envelope as canonical JSON.
        public: the raw Ed25519 key of the approver, or of the gateway for a statement that names a token.
        verify: how to verify Ed25519.

    Raises:
        ApprovalError: the envelope or statement is not well-formed, or the signature does not hold.
    """
    opened = parse_envelope(envelope)
    opened.check(PAYLOAD_TYPE, public, verify)
    return parse_statement(opened.payload)
