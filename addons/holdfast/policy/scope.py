"""What the rules of `access.yaml` and `approval.yaml` share: which Calls, of which Callers, to which server."""

import dataclasses
from collections.abc import Sequence
from typing import Final

from holdfast.call import Call, Direction
from holdfast.identity.caller import Caller
from holdfast.jsontext import Json
from holdfast.masking.finding import Finding
from holdfast.policy.annotations import UNKNOWN, Annotations
from holdfast.policy.conditions import Condition, parse_conditions
from holdfast.policy.document import Section
from holdfast.policy.names import Names, Reading, fold_name

ID_CHARS_MAX: Final = 64  # ids stand in Records and on screens
_ID_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")
# The members of params that name what a method acts on; a method we do not know may use any of them.
_NAME_MEMBERS: Final = ("name", "uri", "taskId")
_MESSAGE_MEMBERS: Final = ("jsonrpc", "id", "method", "params", "result", "error")
_PARAMS_MEMBERS: Final = (*_NAME_MEMBERS, "arguments", "_meta")


@dataclasses.dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a rule may ask about one Call; ``trusted`` is what `tools.yaml` says of its definition."""

    call: Call
    caller: Caller
    server: str
    findings: tuple[Finding, ...] = ()
    annotations: Annotations = UNKNOWN
    trusted: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Who:
    """Which Callers a rule is about. None: any."""

    groups: Names | None = None
    sub: Names | None = None
    iss: Names | None = None
    client: Names | None = None

    def why_not(self, caller: Caller) -> str | None:
        """None where the rule is about ``caller``, else what differs."""
        if self.groups and not self.groups.fit_any(caller.groups):
            return "caller: in none of the groups"
        if self.sub and not self.sub.fit(caller.sub):
            return "caller: another sub"
        if self.iss and not self.iss.fit(caller.iss):
            return "caller: another iss"
        if self.client and not (caller.client is not None and self.client.fit(caller.client)):
            return "caller: another client"
        return None


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """The part of a rule that says which Calls it is about. None and empty: any."""

    reading: Reading
    direction: Direction = Direction.TO_SERVER
    who: Who = dataclasses.field(default_factory=Who)
    server: Names | None = None
    method: Names | None = None
    name: Names | None = None
    conditions: tuple[Condition, ...] = ()

    def why_not(self, facts: Facts) -> str | None:
        """None where the rule is about this Call, else the first thing that differs, without quoting the Call."""
        if (why := self.why_not_around(facts)) is not None:
            return why
        if self.name and not self._names(facts.call, self.name):
            return "name: another"
        return self.who.why_not(facts.caller) or self._unmet(facts.call.params)

    def why_not_around(self, facts: Facts) -> str | None:
        """Like :meth:`why_not`, but for the name, the Caller and the conditions, which are not looked at."""
        if facts.call.direction is not self.direction:
            return "from: the call comes from the other side"
        if self.method and not self.method.fit(facts.call.method):
            return "method: another"
        if self.server and not self.server.fit(facts.server):
            return "server: another"
        return None

    def _names(self, call: Call, wanted: Names) -> bool:
        if call.name is not None:
            return wanted.fit(call.name)
        return self.reading is Reading.WIDE and _could_name(call.params, wanted)

    def _unmet(self, params: Json) -> str | None:
        return next((why for condition in self.conditions if (why := condition.why_not(params))), None)


def _could_name(params: Json, wanted: Names) -> bool:
    """Whether ``params`` of a method without a known name member could name something ``wanted``."""
    if not isinstance(params, dict):
        return params is not None  # positional params: what they name cannot be read
    named = [params[member] for member in _NAME_MEMBERS if member in params]
    return any(not isinstance(name, str) or wanted.fit(name) for name in named)


def ambiguity(call: Call) -> str | None:
    """Why ``call`` could be read in two ways, or None.

    Servers in some languages take ``Method`` for ``method`` (Go's encoding/json matches names in any case, and the last
    one wins), so a second spelling of a member that rules look at would be judged here and not there, or the reverse.
    """
    if _has_twin(call.extra, _MESSAGE_MEMBERS):
        return "the message has a second spelling of a member of JSON-RPC"
    if isinstance(call.params, dict) and _has_twin(call.params, _PARAMS_MEMBERS):
        return "params has a second spelling of a member that rules look at"
    if call.is_notification and not call.method.startswith("notifications/"):
        return "a request has no id, so nobody would learn what came of it"
    return None


def _has_twin(members: dict[str, Json], known: Sequence[str]) -> bool:
    exact, folded = set(known), {fold_name(name) for name in known}
    return any(name not in exact and fold_name(name) in folded for name in members)


def parse_scope(section: Section, reading: Reading) -> Scope:
    """The members of a rule that say which Calls it is about.

    Raises:
        RulesError: an empty list, a bad path, operator or expression.
    """
    side = section.choice("from", ("client", "server"), "client")
    return Scope(
        reading=reading,
        direction=Direction.TO_SERVER if side == "client" else Direction.TO_CLIENT,
        who=parse_who(section, "caller", reading),
        server=parse_names(section, "server", reading),
        method=parse_names(section, "method", reading),
        name=parse_names(section, "name", reading),
        conditions=(
            *parse_conditions(section, "arguments", ("arguments",), reading),
            *parse_conditions(section, "params", (), reading),
        ),
    )


def parse_who(section: Section, key: str, reading: Reading) -> Who:
    """The Callers under ``key``; any where the key is absent.

    Raises:
        RulesError: it names nobody, or a key that is not known.
    """
    caller = section.section(key)
    if caller is None:
        return Who()
    who = Who(**{name: parse_names(caller, name, reading) for name in ("groups", "sub", "iss", "client")})
    caller.done()
    if who == Who():
        raise section.error(key, "says nothing", "Name groups, sub, iss or client, or leave it out")
    return who


def parse_names(section: Section, key: str, reading: Reading) -> Names | None:
    """The globs under ``key``, or None where the key is absent.

    Raises:
        RulesError: an empty list, or an empty text in it.
    """
    texts = section.texts(key, ())
    if key not in section:
        return None
    if not texts or not all(texts):
        raise section.error(key, "names nothing", "Write at least one name, or leave the key out to mean any")
    if reading is Reading.WIDE and any(not fold_name(text) for text in texts):
        raise section.error(key, "has only invisible characters", "Write a name")
    return Names.of(texts, reading)


def parse_id(section: Section, seen: set[str]) -> str:
    """The ``id`` of an entry, which nothing else in ``seen`` has; added there.

    Raises:
        RulesError: missing, not short and plain, or used twice.
    """
    text = section.text("id")
    if not 0 < len(text) <= ID_CHARS_MAX or not set(text) <= _ID_CHARACTERS:
        raise section.error("id", "is not short and plain", f"Use a-z, 0-9, - _ . and at most {ID_CHARS_MAX} of them")
    if text in seen:
        raise section.error("id", f"{text} is used twice", "Give each entry an id of its own")
    seen.add(text)
    return text
