"""A refusal in the form of the API that was asked, so that its SDKs raise what their users expect.

Policy and holds are HTTP 403: the SDKs of both vendors raise a permission error at once. They repeat 408, 409, 429 and
5xx by themselves (with `x-should-retry` to say no), which would ask for an approval again and again.
"""

from typing import Final

from holdfast import jsontext
from holdfast.answers import sentence, status_of
from holdfast.errors import Cause, Refused
from holdfast.exchange import Answer, Headers
from holdfast.jsontext import JsonObject
from holdfast.llm.apis import Api

HTTP_FORBIDDEN: Final = 403
HTTP_TOO_MANY: Final = 429
ERRORS: Final = 400
_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    415: "invalid_request_error",
    429: "rate_limit_error",
}
_OF_POLICY: Final = frozenset({Cause.DENIED_BY_RULE, Cause.DENIED_BY_APPROVER, Cause.HOLD_EXPIRED, Cause.HOLD_PENDING})


def passed(status: int | None) -> int | None:
    """``status`` of the server, where it is an error that tells its client something; not what is about credentials."""
    return status if status is not None and status >= ERRORS and status not in (401, HTTP_FORBIDDEN) else None


def refusal(refused: Refused, api: Api, headers: Headers = (), status: int | None = None) -> Answer:
    """The answer that tells a client of ``api`` about ``refused``; ``status`` where the server gave one that counts."""
    status = status or _status(refused)
    told: JsonObject = {"cause": refused.cause.value}
    if refused.rule:
        told["rule"] = refused.rule
    if refused.ticket:
        told["ticket"] = refused.ticket
    kind = _TYPES.get(status, "api_error")
    error: JsonObject = {"type": kind, "message": sentence(refused)}
    if not api.is_anthropic:
        error |= {"param": None, "code": refused.cause.value}
    error["holdfast"] = told
    body: JsonObject = {"type": "error", "error": error} if api.is_anthropic else {"error": error}
    if refused.cause is not Cause.UNAVAILABLE:  # only then was nothing decided, so that a repeat may help
        headers = (*headers, ("x-should-retry", "false"))
    name = "error" if api.is_anthropic else "message"  # as its SDK expects it in the middle of a stream
    return Answer(status, (("content-type", "application/json"), *headers), jsontext.wire(body), name)


def _status(refused: Refused) -> int:
    if refused.cause is Cause.OVER_BUDGET:
        return HTTP_TOO_MANY
    return HTTP_FORBIDDEN if refused.cause in _OF_POLICY else status_of(refused)
