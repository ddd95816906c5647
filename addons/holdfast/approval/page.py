"""The page that a client may show its user while a call waits: where the Hold stands, and nothing of the call.

Whoever has a ticket may read it: 50 random bits that only the Caller and the approvers were told. Nothing can be
decided there; approvers sign (`desk.py`).
"""

import html
from typing import Final

from holdfast.approval.holds import Hold, State
from holdfast.clock import utc_text
from holdfast.exchange import Answer

HOLD_PATH: Final = "/.well-known/holdfast/hold/"
REFRESH_S: Final = 5  # approvals take minutes; a page that is left open costs little
HEADERS: Final = (
    ("content-type", "text/html; charset=utf-8"),
    ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
)
_SAID: Final = {
    State.GRANTED: "It is approved. The call goes out when your client repeats it.",
    State.DENIED: "An approver said no. The call was not made.",
    State.USED: "It was approved, and the call has been made.",
    State.EXPIRED: "It ended without an approval that could be used. The call was not made.",
    State.ABANDONED: "The client gave it up. The call was not made.",
}
_WAITS: Final = "It waits for the approval of a person."
_STYLE: Final = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}"
    "h1{font-size:1.2rem}code{font-size:1.1em}p{margin:.6rem 0}.small{font-size:.85rem;opacity:.75}"
)


def page_url(resource: str, ticket: str) -> str:
    """Where the page about the Hold ``ticket`` is; ``resource`` is the gateway's public URL up to host and port."""
    return f"{resource}{HOLD_PATH}{ticket}"


def page_of(hold: Hold | None) -> Answer:
    """The page about ``hold``; a 404 that says as little as possible where there is none."""
    if hold is None:
        gone = "<p>There is no such hold here, or it ended long ago.</p>"
        return Answer(404, HEADERS, _html("No such hold", gone, ""))
    undecided = hold.state.is_undecided
    said = _WAITS if undecided else _SAID.get(hold.state, _WAITS)
    until = f"<p>It can be decided until {html.escape(utc_text(hold.expires_at)[:16].replace('T', ' '))} UTC.</p>"
    how = (
        f"<p>An approver decides with <code>scripts/approve.py show {html.escape(hold.id)}</code>. "
        "Who made the call cannot approve it.</p>"
    )
    body = f"<p>{said}</p>" + (until + how if undecided else "")
    refresh = f'<meta http-equiv="refresh" content="{REFRESH_S}">' if undecided else ""
    return Answer(200, HEADERS, _html(f"Call {hold.id}", body, refresh))


def _html(title: str, body: str, head: str) -> bytes:
    shown = html.escape(title)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{shown} - Holdfast</title>{head}'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f'<h1>{shown}</h1>{body}<p class="small">Holdfast shows nothing of the call here.</p></html>'
    ).encode()
