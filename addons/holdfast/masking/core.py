"""Masking itself: one message, here and now. The event loop has a Core, and so has each worker process."""

import dataclasses
import hashlib
from typing import Final

from holdfast import jsontext
from holdfast.call import Call, Direction, Id, Message, Reply
from holdfast.errors import MaskingError
from holdfast.jsontext import Json, JsonObject
from holdfast.masking.automata import Automata
from holdfast.masking.budget import Budget
from holdfast.masking.engine import Scanner
from holdfast.masking.entries import InForce, MaskingRules
from holdfast.masking.equipment import Equipment, equipment
from holdfast.masking.finder import DirectFinder, FullFinder
from holdfast.masking.finding import Masked
from holdfast.masking.keys import KeyForces
from holdfast.masking.parts import Part, Parted, parted
from holdfast.masking.paths import Paths
from holdfast.masking.place import Place
from holdfast.masking.schemas import Schema
from holdfast.masking.seams import Ends, Seam, seam
from holdfast.masking.tools import Tools
from holdfast.masking.walk import Walk

KEY_BYTES: Final = 32


@dataclasses.dataclass(frozen=True, slots=True)
class Task:
    """A message to mask.

    ``server`` is the name of the MCP server, for path rules; ``tool`` the tool that a Reply answers for, where known (a
    Call names its own); ``shape`` that of params or result, where they are not MCP's; ``schema`` the JSON Schema of the
    tool's arguments or of its structured content, where known.
    """

    message: Message
    server: str
    tool: str | None = None
    shape: str | None = None
    schema: JsonObject | None = dataclasses.field(default=None, repr=False)


class Core:
    """Masks by one set of rules. Made once per set: loading takes seconds, masking a fraction of one ms."""

    def __init__(
        self, rules: MaskingRules, key: bytes, automata: Automata | None = None, prefilter: str | None = None
    ) -> None:
        """Build and warm the engine. ``key`` (32 bytes) is the key of pseudonyms; ``automata`` saves compiling anew.

        ``prefilter`` asks for one of :data:`~holdfast.masking.prefilter.ENGINES`; the best that there is, where None.

        Raises:
            MaskingError: the engine cannot be loaded, or the key has another length.
        """
        if len(key) != KEY_BYTES:
            raise MaskingError(f"the masking key has {len(key)} bytes, not {KEY_BYTES}")
        cache_key = hashlib.blake2b(b"holdfast/masking/cache/v1", key=key, digest_size=32).digest()
        self._rules = rules
        self._scanner = Scanner(rules, cache_key, automata, prefilter)
        self._key = key
        sets = (rules.in_force, *(override.in_force for override in rules.overrides))
        # By identity: the rules hold each of them, and to compare them by value would take longer than a short text.
        self._ready = {id(one): self._made_ready(one) for one in sets}
        self._tools, self._forces = self._made_ready(rules.everything)

    def equipment(self) -> Equipment:
        """With what this finds."""
        match self._scanner.finder:
            case DirectFinder() as finder:
                return equipment(finder.engine, None)
            case FullFinder() as finder:
                return equipment("none", finder.model)
            case finder:
                raise MaskingError(f"nothing is known of a {type(finder).__name__}")

    def mask(self, task: Task, budget: Budget) -> Masked:
        """The message as it travels and as it is kept, and what was found in it.

        Raises:
            MaskingError: the engine failed, a limit was passed or ``budget`` is spent.
        """
        message = task.message
        name = message.name if isinstance(message, Call) else task.tool
        walk = self.walk(task.server, name, message.direction, budget)
        self._scanner.expect(message.params if isinstance(message, Call) else message.result, budget)
        try:
            forward, keep = _masked(message, walk, task)
        except RecursionError:
            raise MaskingError("the message is nested too deep") from None
        return Masked(forward, keep, walk.findings, walk.issued, refused=walk.refused)

    def part(self, part: Part, budget: Budget) -> Parted:
        """One step of a text that arrives in pieces. Raises MaskingError."""
        return parted(part, lambda: self.walk(part.server, part.tool, part.direction, budget))

    def seam(self, ends: Ends, budget: Budget) -> Seam:
        """A text whose seams are masked. Raises MaskingError."""
        walk = self.walk(ends.server, None, ends.direction, budget)
        return seam(walk, ends.text, ends.beside, Place(ends.path))

    def walk(self, server: str, tool: str | None, direction: Direction, budget: Budget) -> Walk:
        """What walks over a message, or a part of one, for no more than ``budget``."""
        ready = self._ready[id(self._rules.in_force_for(server, tool, direction))]
        return Walk(*ready, Paths(self._rules, server, tool, direction), direction, budget)

    def loose_walk(self, budget: Budget) -> Walk:
        """Over what belongs to no server's message: whatever is regulated anywhere is masked."""
        paths = Paths(self._rules, "", None, Direction.TO_SERVER)
        return Walk(self._tools, self._forces, paths, Direction.TO_SERVER, budget)

    def _made_ready(self, in_force: InForce) -> tuple[Tools, KeyForces]:
        return Tools.of(self._rules, in_force, self._scanner, self._key), KeyForces(self._rules, in_force)


def _masked(message: Message, walk: Walk, task: Task) -> tuple[Message, Message]:
    if isinstance(message, Call):
        return _call(message, walk, task.shape or "params", Schema.of_member("arguments", task.schema))
    return _reply(message, walk, task.shape or "result", Schema.of_member("structuredContent", task.schema))


def _call(call: Call, walk: Walk, shape: str, schema: Schema | None) -> tuple[Call, Call]:
    method = walk.protocol(call.method, Place("/method"))[1]
    if isinstance(call.params, dict):
        forward, kept = walk.shaped(call.params, shape, Place("/params", schema=schema))
    else:
        forward, kept = walk.data(call.params, Place("/params"))
    extra, kept_extra = _extra(call.extra, walk)
    return (
        dataclasses.replace(call, params=forward, extra=extra),
        Call(str(method), kept, _kept_id(call.id, walk), call.direction, kept_extra),
    )


def _reply(reply: Reply, walk: Walk, shape: str, schema: Schema | None) -> tuple[Reply, Reply]:
    kind = shape if isinstance(reply.result, dict) else None
    result, kept_result = (
        walk.shaped(reply.result, kind, Place("/result", schema=schema))
        if kind
        else walk.data(reply.result, Place("/result"))
    )
    error, kept_error = (None, None) if reply.error is None else walk.shaped(reply.error, "error", Place("/error"))
    extra, kept_extra = _extra(reply.extra, walk)
    return (
        dataclasses.replace(reply, result=result, error=_object(error), extra=extra),
        Reply(_kept_id(reply.id, walk), kept_result, _object(kept_error), reply.direction, kept_extra),
    )


def _object(value: Json) -> JsonObject | None:
    return value if isinstance(value, dict) else None


def _extra(extra: JsonObject, walk: Walk) -> tuple[JsonObject, JsonObject]:
    if not extra:
        return extra, extra
    forward, kept = walk.data(extra, Place(""))
    return _object(forward) or {}, _object(kept) or {}


def _kept_id(message_id: Id | None, walk: Walk) -> Id | None:
    if message_id is None:
        return None
    kept = walk.protocol(message_id, Place("/id"))[1]
    return kept if isinstance(kept, str | int) else jsontext.canonical(kept).decode()
