"""The masker: a message in, what travels and what is kept out; or :class:`~holdfast.errors.MaskingError`.

A short message is masked on the event loop, for a few milliseconds at most. Whatever is larger, or takes longer, or
fails, goes to a worker process: it has seconds, decides, and can be killed (``work/``). A Masker without workers does
all of it here, as scripts may.
"""

import asyncio
import contextlib
from typing import Final

from holdfast.call import Direction, Message
from holdfast.errors import MaskingError
from holdfast.jsontext import Json, JsonObject
from holdfast.masking import engine
from holdfast.masking.automata import Automata
from holdfast.masking.budget import END, IN_PLACE, KEPT, Budget
from holdfast.masking.core import Core, Task
from holdfast.masking.engine import Engine
from holdfast.masking.entries import MaskingRules
from holdfast.masking.equipment import Equipment
from holdfast.masking.finding import Masked
from holdfast.masking.parts import Part, Parted
from holdfast.masking.pieces import Pieces, Terms
from holdfast.masking.place import Place
from holdfast.masking.seams import Ends, Neighbours, Seam, is_found
from holdfast.masking.size import fits, fits_in_place
from holdfast.masking.unscanned import MASK as UNSCANNED_MASK
from holdfast.masking.work.pool import Pool

KEPT_CHARS_MAX: Final = 4096  # a user agent has a hundred, a reason for a decision a thousand


class Masker:
    """Masks messages by one set of rules."""

    def __init__(
        self,
        rules: MaskingRules,
        key: bytes,
        workers: Pool | None = None,
        automata: Automata | None = None,
        prefilter: str | None = None,
    ) -> None:
        """Build and warm the engine. ``key`` (32 bytes) is the key of pseudonyms; ``automata`` saves compiling anew.

        ``prefilter`` asks for one of :data:`~holdfast.masking.prefilter.ENGINES`; the best that there is, where None.

        Raises:
            MaskingError: the engine cannot be loaded, or the key has another length.
        """
        self._core = Core(rules, key, automata, prefilter)
        self._workers = workers
        self._engine = engine.describe(rules)

    async def start(self) -> None:
        """Have the workers ready. Raises MaskingError."""
        if self._workers is not None:
            await self._workers.start()

    async def retire(self) -> None:
        """Other rules are in force: keep no more processes than what is still masked by these needs."""
        if self._workers is not None:
            await self._workers.retire()

    def describe(self) -> Engine:
        """Which engine masks, by which rules: what Records carry."""
        return self._engine

    def equipment(self) -> Equipment:
        """With what it finds: packages, versions, a model; what an auditor reads."""
        return self._core.equipment()

    async def mask(
        self,
        message: Message,
        *,
        server: str,
        tool: str | None = None,
        shape: str | None = None,
        schema: JsonObject | None = None,
    ) -> Masked:
        """``message`` as it travels and as it is kept, and what was found in it.

        Args:
            message: a Call or a Reply, in either direction; its direction decides which masks travel.
            server: the name of the MCP server, for path rules.
            tool: the tool that a Reply answers for, where known; a Call names its own.
            shape: the shape of params or result, where they are not MCP's.
            schema: the JSON Schema of the tool's arguments or of its structured content, where known.

        Raises:
            MaskingError: the engine failed or a limit was passed; the message must not travel or be kept.
        """
        task = Task(message, server, tool, shape, schema)
        if self._workers is None:
            return await self._here(task, Budget())
        if fits_in_place(message):
            try:
                return await self._here(task, Budget(limits=IN_PLACE))
            except MaskingError:
                pass  # with more time it may be masked; if not, the worker says so
        return await self._workers.mask(task)

    async def _here(self, task: Task, budget: Budget) -> Masked:
        masked = self._core.mask(task, budget)
        await _others_turn(budget)
        return masked

    def pieces(self, path: str, direction: Direction, terms: Terms, *, server: str, tool: str | None = None) -> Pieces:
        """What masks a text that arrives in pieces and will stand at ``path`` of a message of ``direction``."""
        settled = self._core.walk(server, tool, direction, Budget()).settled(Place(path))
        part = Part(server, tool, direction, path, terms.hold_back_chars)
        return Pieces(self._part, part, whole=terms.whole or settled.force is not None)

    async def _part(self, part: Part) -> Parted:
        if self._workers is None:
            return self._core.part(part, Budget())
        if fits(part.held):
            with contextlib.suppress(MaskingError):
                return self._core.part(part, Budget(limits=IN_PLACE))
        return await self._workers.part(part)

    async def seam(self, path: str, text: str, beside: Neighbours, direction: Direction, *, server: str) -> Seam:
        """``text``, which stands at ``path`` of a message of ``direction``, masked where it runs into its neighbours.

        Raises:
            MaskingError: the engine failed or a limit was passed.
        """
        ends = Ends(server, direction, path, text, beside)
        if self._workers is None:
            return self._core.seam(ends, Budget())
        if fits([text, beside.before, beside.behind]):
            budget = Budget(limits=IN_PLACE)
            with contextlib.suppress(MaskingError):
                done = self._core.seam(ends, budget)
                await _others_turn(budget)
                return done
        return await self._workers.seam(ends)

    def is_found(self, path: str, text: str, start: int, direction: Direction, *, server: str) -> bool:
        """Whether what ends ``text``, at ``path`` of a message, from ``start`` on is masked whatever follows it.

        False too where that takes more than the few milliseconds that there are for it on the event loop: then the text
        waits for what follows, as others do, and whoever masks it has the time.
        """
        if not fits(text):
            return False
        try:
            walk = self._core.walk(server, None, direction, Budget(limits=END))
            return is_found(walk, text, start, Place(path))
        except MaskingError:
            return False

    def keep_text(self, text: str) -> str:
        """``text`` (a user agent, a name, an id) as Records may keep it; ``<UNSCANNED>`` where that takes too long."""
        if len(text) > KEPT_CHARS_MAX:
            return UNSCANNED_MASK
        try:
            return self._core.loose_walk(Budget(limits=KEPT)).text(text, Place(""))[1]
        except MaskingError:
            return UNSCANNED_MASK

    def keep_json(self, value: Json) -> Json:
        """Any JSON value as Records may keep it, however long that takes: not for the event loop.

        Raises:
            MaskingError: the engine failed or a limit was passed.
        """
        return self._core.loose_walk(Budget()).data(value, Place(""))[1]


async def _others_turn(budget: Budget) -> None:
    """Let others have their turn: many messages or parts of one must not take the loop from them until the last."""
    if budget.is_used:
        await asyncio.sleep(0)
