"""The approver's end of the desk's socket: ask, check what was shown, sign."""

import contextlib
import dataclasses
import hashlib
import socket
from pathlib import Path
from typing import Final

from holdfast import jsontext
from holdfast.approval.desk_socket import SOCKET_NAME
from holdfast.approval.keys import Signer, public_text, sign_statement
from holdfast.approval.statement import Choice, Statement, parse_statement
from holdfast.errors import ApprovalError
from holdfast.jsontext import Json, JsonObject

ANSWER_S: Final = 30  # a decision costs two fsyncs and, for a token, perhaps the issuer's keys
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024  # a view of 1 MiB, escaped


class UnreachableError(ApprovalError):
    """No gateway answers at the data folder's socket."""


class NotAcceptedError(ApprovalError):
    """The gateway refused; the text is its reason."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sight:
    """One Hold as the gateway shows it: a summary, and while it can be decided the view and the statement to sign."""

    hold: JsonObject
    view: str | None
    statement: Statement | None
    reason_required: bool

    @property
    def id(self) -> str:
        """The Hold's id, in full."""
        return str(self.hold.get("id"))


class DeskClient:
    """Talks to the gateway whose data folder is ``directory``; one connection per question."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / SOCKET_NAME

    def listing(self) -> list[JsonObject]:
        """The Holds that can be decided now."""
        holds = self._ask({"verb": "list"}).get("holds")
        return [hold for hold in holds if isinstance(hold, dict)] if isinstance(holds, list) else []

    def show(self, prefix: str, public: bytes | None = None) -> Sight:
        """One Hold; with ``public``, the statement names the approver enrolled with that key.

        Raises:
            UnreachableError: no gateway.
            NotAcceptedError: no such Hold.
            ApprovalError: what came back does not fit together.
        """
        question: JsonObject = {"verb": "show", "hold": prefix}
        answer = self._ask(question if public is None else question | {"key": public_text(public)})
        hold, view, stated = answer.get("hold"), answer.get("view"), answer.get("statement")
        if not isinstance(hold, dict):
            raise ApprovalError("the gateway's answer shows no hold")
        if not isinstance(view, str) or not isinstance(stated, dict):
            return Sight(hold, None, None, reason_required=False)
        statement = parse_statement(jsontext.canonical(stated))
        _check_view(statement, view, str(hold.get("id")))
        return Sight(hold, view, statement, reason_required=answer.get("reason_required") is True)

    def decide_signed(self, statement: Statement, signer: Signer) -> JsonObject:
        """Sign ``statement`` and hand it in. The Hold's new state comes back.

        Raises:
            UnreachableError: no gateway.
            NotAcceptedError: the gateway does not accept the decision.
        """
        envelope = jsontext.parse(sign_statement(statement, signer))
        return self._decide({"verb": "decide", "hold": statement.hold, "envelope": envelope})

    def decide_by_token(self, statement: Statement, token: str) -> JsonObject:
        """Hand in the decision of ``statement`` with a token; the gateway signs. Raises as :meth:`decide_signed`."""
        return self._decide(
            {
                "verb": "decide",
                "hold": statement.hold,
                "token": token,
                "decision": statement.decision,
                "reason": statement.reason,
                "view": statement.view_digest_hex,
            }
        )

    def _decide(self, question: JsonObject) -> JsonObject:
        hold = self._ask(question).get("hold")
        return hold if isinstance(hold, dict) else {}

    def _ask(self, question: JsonObject) -> JsonObject:
        try:
            answer = jsontext.parse(_exchange(self._path, jsontext.wire(question) + b"\n"))
        except (OSError, jsontext.JsonError) as error:
            why = getattr(error, "strerror", None) or "no answer"
            raise UnreachableError(f"no gateway answers at {self._path} ({why})") from None
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            reason = answer.get("reason") if isinstance(answer, dict) else None
            raise NotAcceptedError(str(reason or "the gateway refused without a reason"))
        return answer


def completed(statement: Statement, decision: Choice, reason: str) -> Statement:
    """The statement with the approver's own words in it."""
    return dataclasses.replace(statement, decision=decision, reason=reason)


def _check_view(statement: Statement, view: str, hold_id: str) -> None:
    # What is signed must be what is shown, whoever answers at the socket.
    fits = (
        hashlib.sha256(view.encode("utf-8")).hexdigest() == statement.view_digest_hex
        and view.startswith(f"HOLD {statement.hold}\n")
        and statement.hold == hold_id
        and f"| {statement.request_digest_hex}\n" in view
    )
    if not fits:
        raise ApprovalError("the view and the statement that the gateway sent do not belong together; sign nothing")


def _exchange(path: Path, line: bytes) -> bytes:
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as peer:
        peer.settimeout(ANSWER_S)
        peer.connect(str(path))
        peer.sendall(line)
        received = bytearray()
        while not received.endswith(b"\n"):
            chunk = peer.recv(65536)
            if not chunk or len(received) > ANSWER_BYTES_MAX:
                raise OSError(0, "the answer was cut short")
            received += chunk
        return bytes(received)


def summary_text(hold: JsonObject, name: str) -> str:
    """The member ``name`` of a summary as text; empty where it is missing."""
    value: Json = hold.get(name)
    return "" if value is None else str(value)
