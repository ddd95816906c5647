"""Calls of things whose definition is not trusted: refused, or held so that a person sees what changed."""

import dataclasses
from typing import Final

from holdfast import governing
from holdfast.call import Call
from holdfast.catalog import Key, Known
from holdfast.comparing import compare
from holdfast.errors import Cause, Refused
from holdfast.policy.decision import Allow, Hold
from holdfast.policy.definitions import Act, DefinitionRule, Described
from holdfast.policy.ruleset import Ruleset
from holdfast.policy.screens import Effect
from holdfast.stations import Stations

# Which kind of definition a method uses. A URI may be one that no list named: a template's.
_KINDS: Final = {
    "tools/call": "tool",
    "prompts/get": "prompt",
    "resources/read": "resource",
    "resources/subscribe": "resource",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Doubt:
    """Why a Call is held by `tools.yaml`: the rule, the wording that is not trusted, and lines about it for people."""

    rule: str
    pin: str
    lines: tuple[str, ...]


async def doubt(stations: Stations, rules: Ruleset, server: str, call: Call, kept: Call) -> Doubt | None:
    """What there is against ``call`` because of the definition of what it uses; None where nothing is.

    Args:
        stations: the gateway's stations.
        rules: those in force.
        server: the server's name.
        call: as the client sent it.
        kept: the same, masked.

    Raises:
        Refused: DENIED_BY_RULE, its definition is refused until somebody pins it.
    """
    kind = _KINDS.get(call.method)
    if kind is None or call.name is None or kept.name is None:
        return None
    described, key = Described(kind, server, call.name), Key.of(kind, kept.name)
    catalog = stations.catalogs.of(server)
    known = catalog.known(key)
    if _against(rules, described, known) is None:
        return None
    # Somebody may have pinned it a moment ago.
    await stations.pins.refresh(stations.catalogs)
    known = catalog.known(key)
    rule = _against(rules, described, known)
    if rule is None:
        return None
    if isinstance(rule, Refused):
        raise rule
    return Doubt(rule.id, known.seen.pin if known else "", await _lines(stations, rule, known))


def _against(rules: Ruleset, described: Described, known: Known | None) -> DefinitionRule | Refused | None:
    """The rule that holds a Call, or the refusal of it, or nothing."""
    if known is None and described.kind == "resource":
        return None
    pinned = known.pinned if known is not None else None
    if known is not None and not (known.by_operator and known.is_trusted):
        for flag in sorted(known.flags):
            screen = rules.tools.screen(flag)
            if screen is not None and screen.effect is Effect.REFUSE:
                return _refused("a screen found something in the definition of what is called", flag)
    if known is not None and known.is_trusted:
        return None
    act, rule = rules.tools.act(described, pinned_before=pinned is not None)
    if rule is None or act is Act.PIN:
        return None
    if act is Act.HOLD:
        return rule
    what = "is new" if pinned is None else "is not the one that was pinned"
    return _refused(f"the definition of what is called {what}", rule.id)


def _refused(reason: str, rule: str) -> Refused:
    return Refused(Cause.DENIED_BY_RULE, reason, rule=rule, next_step=governing.ADVICE)


async def _lines(stations: Stations, rule: DefinitionRule, known: Known | None) -> tuple[str, ...]:
    head = f"rule {rule.id} of tools.yaml: {rule.description}"
    if known is None:
        return (head, "no list has shown its definition yet")
    now = await governing.text_of(stations, known.seen.digest_hex)
    if now is None:
        return (head, f"its definition is not at hand; its digest is {known.seen.digest_hex}")
    before = await governing.text_of(stations, known.pinned.digest_hex) if known.pinned is not None else None
    if known.pinned is None:
        return (head, "nobody has accepted its definition yet", *compare(None, now).split("\n")[1:])
    return (head, *compare(before, now).split("\n"))


def settled(held: Allow | Hold, found: Doubt | None) -> Allow | Hold:
    """``held``, if it is an answer to ``found``.

    Raises:
        Refused: DENIED_BY_RULE, the Call is to be held and no approval rule says who may approve it.
    """
    if found is None or isinstance(held, Hold):
        return held
    raise Refused(
        Cause.DENIED_BY_RULE,
        "the definition of what is called is held, and no approval rule says who may approve the call",
        rule=found.rule,
        next_step=governing.ADVICE,
    )
