"""Which headers of an LLM API travel: those with a meaning and a shape that holds no content."""

import re
from collections.abc import Callable
from typing import Final

from holdfast.errors import Cause, Refused
from holdfast.exchange import Head, Headers, Request
from holdfast.wireheaders import media_type, tells

_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_WORDS: Final = re.compile(r"[a-z0-9_.=-]{1,64}(?:, ?[a-z0-9_.=-]{1,64}){0,30}")
_FIGURE: Final = re.compile(r"[0-9A-Za-z.:+-]{1,40}")
_TO_SERVER: Final = {
    "anthropic-version": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "anthropic-beta": _WORDS,
    "openai-beta": _WORDS,
    "openai-organization": _ID,
    "openai-project": _ID,
}
_TO_CLIENT: Final = {
    "request-id": _ID,
    "x-request-id": _ID,
    "retry-after": re.compile(r"\d{1,9}"),
    "retry-after-ms": re.compile(r"\d{1,9}"),
    "x-should-retry": re.compile(r"true|false"),
    "openai-processing-ms": re.compile(r"\d{1,9}"),
    "openai-version": re.compile(r"\d{4}-\d{2}-\d{2}"),
    "x-accel-buffering": re.compile(r"yes|no"),
}
_RATE_LIMITS: Final = ("anthropic-ratelimit-", "x-ratelimit-")
_RATE_NAME: Final = re.compile(r"[a-z0-9-]{1,80}")
_ACCEPTED: Final = ("application/json", "text/event-stream")


def to_server(request: Request, host: str, keep_text: Callable[[str], str]) -> Headers:
    """The client's headers that go on, and those that the gateway sets itself (without length or credential).

    Raises:
        Refused: MALFORMED, a header that travels holds something else than it should.
    """
    headers = [("host", host), ("accept", ", ".join(_ACCEPTED)), ("content-type", "application/json")]
    for name, form in _TO_SERVER.items():
        value = request.header(name)
        if value is None:
            continue
        if len(request.headers_named(name)) > 1 or not form.fullmatch(value) or tells(value, keep_text):
            raise Refused(Cause.MALFORMED, f"the header {name} is none that travels")
        headers.append((name, value))
    # Compressed replies would have to be unpacked before they are judged.
    return (*headers, ("accept-encoding", "identity"), ("user-agent", "holdfast"))


def to_client(head: Head, keep_text: Callable[[str], str]) -> Headers:
    """The server's headers that go back: ids of requests, and what it says about limits."""
    return tuple((n, v) for n, v in head.headers if _may_return(n, v) and not tells(v, keep_text))


def _may_return(name: str, value: str) -> bool:
    form = _TO_CLIENT.get(name)
    if form is None and name.startswith(_RATE_LIMITS) and _RATE_NAME.fullmatch(name):
        form = _FIGURE
    return form is not None and form.fullmatch(value) is not None


def is_json(head: Head) -> bool:
    """Whether a response says that its body is JSON."""
    return media_type(head.header("content-type")) == "application/json"
