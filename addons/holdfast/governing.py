"""Definitions that pass in a list, and the Calls that use them: what is new, what changed, what a screen finds.

A definition that is not trusted is shown to nobody: its text is how a server would steer a model. What a list brings is
made durable with the list's own Record, before any of it is believed.
"""

import asyncio
import dataclasses
import hashlib
import hmac
import logging
import time
from collections import Counter
from typing import Final

from holdfast import jsontext
from holdfast.approval.visible import visible
from holdfast.catalog import Catalog, Definition, Key, Known, Version
from holdfast.comparing import changed_members, compare
from holdfast.errors import Cause, Refused
from holdfast.jsontext import Json, JsonObject
from holdfast.listing import INSTRUCTIONS
from holdfast.passage import Admission
from holdfast.policy.definitions import Act, Described
from holdfast.policy.ruleset import Ruleset
from holdfast.policy.screens import SERVER, Effect
from holdfast.stations import Stations
from holdfast.trusted import defined

log = logging.getLogger(__name__)

# Of processor time for one list. Its entries that were not read by then are not shown this time; those that were are
# known the next time, so a long list of honest definitions comes through in the end.
LIST_S_MAX: Final = 2.0
TURN_S: Final = 0.02
_DOMAIN: Final = b"holdfast/definition/v1\0"
_WORDS: Final = {Act.PIN: "allow", Act.HOLD: "hold", Act.REFUSE: "deny"}
ADVICE: Final = "Ask the operator, who sees what changed and accepts it with scripts/rules.py pin."


@dataclasses.dataclass(frozen=True, slots=True)
class Examined:
    """What a Reply brought: what is to be written down, the entries that are not shown, by index, or its refusal."""

    definitions: tuple[Definition, ...] = ()
    hidden: frozenset[int] = frozenset()
    refused: Refused | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One definition in a list: as the server sent it and as it is kept."""

    described: Described
    key: Key
    sent: Json
    data: bytes
    version: Version


def entry_of(stations: Stations, described: Described, kept_name: str, sent: Json, kept: Json) -> Entry:
    """The Entry for one definition; ``kept`` is ``sent``, masked."""
    data = jsontext.canonical(kept)
    covered = jsontext.canonical([described.server, described.kind, sent])
    pin = hmac.new(stations.request_key, _DOMAIN + covered, hashlib.sha256).hexdigest()
    version = Version(pin, stations.catalogs.texts.put(data))
    return Entry(described, Key.of(described.kind, kept_name), sent, data, version)


async def examine(stations: Stations, admission: Admission, entries: list[tuple[int, Entry]]) -> Examined:
    """Judge the definitions of one list by `tools.yaml`; each comes with its index in the list."""
    found: list[Definition] = []
    wordings = Counter(key for key, _ in {(entry.key, entry.version) for _, entry in entries})
    hidden = set[int]()
    if any(_is_doubtful(stations, entry) for _, entry in entries):
        await stations.pins.refresh(stations.catalogs)
    spent_s, turn_s = 0.0, 0.0
    for index, entry in entries:
        catalog = stations.catalogs.of(entry.described.server)
        # One name described in two ways: nobody can tell which of them a model would read.
        if spent_s > LIST_S_MAX or wordings[entry.key] > 1 or not catalog.has_room(entry.key, len(found)):
            hidden.add(index)
            continue
        if spent_s - turn_s > TURN_S:
            await asyncio.sleep(0)  # other messages take their turn
            turn_s = spent_s
        before_s = time.thread_time()
        known, records = await _judged(stations, admission.force.rules, catalog, entry)
        spent_s += time.thread_time() - before_s
        found += records
        if not known.is_trusted or _effects(admission.force.rules, known) & {Effect.HIDE, Effect.REFUSE}:
            hidden.add(index)
        elif entry.described.kind == "tool" and isinstance(entry.sent, dict):
            catalog.learn(entry.described.name, entry.sent.get("annotations"))
            catalog.learn_schemas(entry.described.name, entry.sent, len(entry.data))
    return Examined(tuple(found), frozenset(hidden))


def _is_doubtful(stations: Stations, entry: Entry) -> bool:
    known = stations.catalogs.of(entry.described.server).known(entry.key)
    return known is not None and not (known.is_trusted and known.seen.is_same(entry.version) and not known.flags)


async def _judged(stations: Stations, rules: Ruleset, catalog: Catalog, entry: Entry) -> tuple[Known, list[Definition]]:
    """What is known of ``entry`` once the Records that are returned are durable."""
    before = catalog.known(entry.key)
    pinned = before.pinned if before is not None else None
    act, rule = Act.PIN, None
    if not entry.version.is_same(pinned):
        act, rule = rules.tools.act(entry.described, pinned_before=pinned is not None)
    after = defined(before, entry.version, is_pinned=act is Act.PIN)
    is_seen = before is not None and before.seen.is_same(entry.version)
    old_flags = before.flags if before is not None and is_seen else frozenset[str]()
    flags = _found(stations, rules, entry) if not is_seen or before.screened != rules.digest_hex else old_flags  # type: ignore[union-attr] # is_seen says that it is there
    after = dataclasses.replace(after, flags=flags, screened=rules.digest_hex)
    records: list[Definition] = []
    if not is_seen or after.pinned is not pinned:
        reason = rule.description if rule else ""
        decision: JsonObject = {"effect": _WORDS[act], "rule": rule.id if rule else None}
        records.append(
            await _defined(stations, entry, before, after, decision | ({"reason": reason} if reason else {}))
        )
    records += [_screened(rules, entry, after, flag) for flag in sorted(flags - old_flags)]
    if not records:
        catalog.remember(entry.key, after)
    return after, records


def _found(stations: Stations, rules: Ruleset, entry: Entry) -> frozenset[str]:
    elsewhere = stations.catalogs.elsewhere(entry.described.server)
    screens = rules.tools.screens
    return frozenset(screen.id for screen in screens if screen.finds(entry.described, entry.sent, elsewhere))


def _effects(rules: Ruleset, known: Known) -> set[Effect]:
    """What the screens that found something ask for; nothing where an operator pinned just this."""
    if known.by_operator and known.is_trusted:
        return set()
    return {screen.effect for flag in known.flags if (screen := rules.tools.screen(flag)) is not None}


async def _defined(
    stations: Stations, entry: Entry, before: Known | None, after: Known, decision: JsonObject
) -> Definition:
    described, previous = entry.described, before.seen.digest_hex if before is not None else None
    if before is None or previous is None:
        return Definition("tool.defined", described.server, entry.key, after, entry.data, decision)
    # What a person must judge is the way from what was accepted, not from one refused wording to the next.
    base = before.pinned.digest_hex if before.pinned is not None else previous
    old = await text_of(stations, base)
    if not after.is_trusted:
        log.warning(
            "the %s %s of %s is not the one that was pinned: %s",
            *(described.kind, visible(entry.key.name), described.server, decision.get("rule")),
        )
    return Definition(
        "tool.defined",
        described.server,
        entry.key,
        after,
        entry.data,
        decision,
        previous=previous,
        changed=changed_members(old, entry.data),
        view=compare(old, entry.data),
    )


async def text_of(stations: Stations, digest_hex: str) -> bytes | None:
    """A masked definition by its digest, from memory or the ledger; None where it is not at hand."""
    found = stations.catalogs.texts.get(digest_hex)
    return found if found is not None else await asyncio.to_thread(stations.objects, digest_hex)


def _screened(rules: Ruleset, entry: Entry, after: Known, flag: str) -> Definition:
    screen = rules.tools.screen(flag)
    if screen is None:
        raise TypeError("a screen that found something is a rule")
    effect = "allow" if screen.effect is Effect.RECORD else "deny"
    decision: JsonObject = {"effect": effect, "rule": flag, "reason": screen.description}
    server = entry.described.server
    log.warning("screen %s found something in the %s %s of %s", flag, entry.key.kind, visible(entry.key.name), server)
    return Definition("tool.screened", server, entry.key, after, entry.data, decision)


async def examine_instructions(stations: Stations, admission: Admission, server: str, sent: str, kept: str) -> Examined:
    """Screen what a server tells every model that uses it: its one entry, 0, may be hidden, or the Reply refused."""
    described = Described(SERVER, server, INSTRUCTIONS)
    entry = entry_of(stations, described, INSTRUCTIONS, {INSTRUCTIONS: sent}, {INSTRUCTIONS: kept})
    rules, catalog = admission.force.rules, stations.catalogs.of(server)
    before = catalog.known(entry.key)
    old = before.flags if before is not None and before.seen.is_same(entry.version) else frozenset[str]()
    flags = _found(stations, rules, entry)
    after = Known(entry.version, entry.version, flags=flags, screened=rules.digest_hex)
    records = tuple(_screened(rules, entry, after, flag) for flag in sorted(flags - old))
    effects = _effects(rules, after)
    refused = None
    if Effect.REFUSE in effects:
        refused = Refused(Cause.DENIED_BY_RULE, "a screen refuses what the server says of itself", next_step=ADVICE)
    return Examined(records, frozenset({0}) if Effect.HIDE in effects else frozenset(), refused)
