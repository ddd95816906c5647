"""Which member of a Record stands where in an OCSF event, and what is left over. Standard library only.

`docs/siem.md` prints the two tables, and a test compares them with it and with what comes out.
"""

from typing import Final

from holdfast.evidence.files.entry import Entry
from holdfast.jsontext import JsonObject

# Record member -> where its value stands in the event. Of a list, the first element is meant.
_BOTH: Final = (
    ("log", "metadata.log_name"),
    ("n", "metadata.sequence"),
    ("id", "metadata.uid"),
    ("typ", "metadata.event_code"),
    ("ts", "metadata.original_time"),
    ("v", "metadata.log_version"),
    ("gw.version", "metadata.product.version"),
    ("reason", "status_detail"),
    ("cause", "status_code"),
)
API_MAPPING: Final = (
    *_BOTH,
    ("call", "metadata.correlation_uid"),
    ("sid", "actor.session.uid"),
    ("rpc.id", "api.request.uid"),
    ("rpc.method", "api.operation"),
    ("who.iss", "actor.idp.uid"),
    ("who.sub", "actor.user.uid"),
    ("who.name", "actor.user.display_name"),
    ("who.client", "actor.app_uid"),
    ("who.groups", "actor.user.groups.name"),
    ("who.token", "actor.user.credential_uid"),
    ("who.exp", "actor.session.expiration_time"),
    ("approver.iss", "actor.idp.uid"),
    ("approver.sub", "actor.user.uid"),
    ("approver.id", "actor.user.uid_alt"),
    ("approver.key", "actor.user.credential_uid"),
    ("approver.name", "actor.user.display_name"),
    ("approver.groups", "actor.user.groups.name"),
    ("src.ip", "src_endpoint.ip"),
    ("src.port", "src_endpoint.port"),
    ("src.ua", "http_request.user_agent"),
    ("dst.server", "dst_endpoint.svc_name"),
    ("dst.host", "dst_endpoint.hostname"),
    ("dst.path", "http_request.url.path"),
    ("mcp.version", "api.version"),
    ("mcp.name", "resources.name"),
    ("mcp.definition", "resources.version"),
    ("tool.name", "resources.name"),
    ("tool.digest", "resources.version"),
    ("dec.effect", "authorizations.decision"),
    ("dec.rule", "authorizations.policy.uid"),
    ("dec.reason", "authorizations.policy.desc"),
    ("rule", "authorizations.policy.uid"),
    ("decision", "authorizations.decision"),
    ("rules", "policy.uid"),
    ("res.http", "http_response.code"),
    ("http", "http_response.code"),
    ("out.ok", "status_id"),
    ("out.code", "api.response.code"),
    ("out.ms", "duration"),
)
LIFECYCLE_MAPPING: Final = (
    *_BOTH,
    ("operator.uid", "actor.user.uid"),
    ("operator.name", "actor.user.name"),
)
# The salt keeps the leaf of a withheld Record from being guessed. A SIEM has no use for it.
LEFT_OUT: Final = ("salt",)


class Said:
    """A Record's members by dotted name: an event asks for forty of them, most of which are not there."""

    __slots__ = ("members",)

    def __init__(self, entry: Entry) -> None:
        self.members: JsonObject = {}
        for name, value in entry.body.items():
            if isinstance(value, dict):
                for inner, item in value.items():
                    self.members[name + "." + inner] = item
            else:
                self.members[name] = value

    def text(self, name: str) -> str:
        """The text (or number, as text) under ``name``; empty where there is none."""
        value = self.members.get(name)
        if isinstance(value, str):
            return value
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""

    def number(self, name: str) -> int | None:
        """The integer under ``name``; None where there is none."""
        value = self.members.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


_NONE: Final[frozenset[str]] = frozenset()
_UNLESS_REPLY: Final = frozenset({"out.ok"})  # elsewhere the status follows from the typ


def _split(mapping: tuple[tuple[str, str], ...]) -> tuple[frozenset[str], dict[str, frozenset[str]]]:
    names = [*(name for name, _ in mapping), *LEFT_OUT]
    outer = {name.partition(".")[0] for name in names if "." in name}
    inner = {one: frozenset(name.partition(".")[2] for name in names if name.startswith(one + ".")) for one in outer}
    return frozenset(name for name in names if "." not in name), inner


# The same, as it is looked up for each Record: names at the top, and names within each member.
_API: Final = _split(API_MAPPING)
_LIFECYCLE: Final = _split(LIFECYCLE_MAPPING)


def rest_of(entry: Entry, *, is_api: bool) -> JsonObject:
    """What of the Record is in no attribute of its event; objects that are empty then are left out."""
    top, within = _API if is_api else _LIFECYCLE
    kept_anyway = _yielding(entry) if is_api else _NONE
    rest: JsonObject = {}
    for name, value in entry.body.items():
        if name in top and name not in kept_anyway:
            continue
        inner = within.get(name)
        if inner is None or name in kept_anyway or not isinstance(value, dict):
            rest[name] = value
            continue
        left = {key: item for key, item in value.items() if key not in inner or f"{name}.{key}" in kept_anyway}
        if left:
            rest[name] = left
    return rest


def _yielding(entry: Entry) -> frozenset[str]:
    """Members whose place in the event another member of the same Record has taken."""
    body, taken = entry.body, _NONE if entry.typ == "reply" else _UNLESS_REPLY
    if "approver" in body:
        taken |= {"who"}
    if "decision" in body:
        taken |= {"dec.effect"}
    if "rule" in body and entry.text("dec", "rule"):
        taken |= {"rule"}
    if "tool" in body:
        taken |= {"mcp.name", "mcp.definition"}
    elif not entry.text("mcp", "name"):
        taken |= {"mcp.definition"}
    if "http" in body and entry.number("res", "http") is not None:
        taken |= {"http"}
    return taken
