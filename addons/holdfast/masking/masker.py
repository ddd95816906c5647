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
from holdfast.masking.budget import IN_PLACE, KEPT, Budget
from holdfast.masking.core import Core, Task
from holdfast.masking.engine import Engine
from holdfast.masking.entries import MaskingRules
from holdfast.masking.equipment import Equipment
from holdfast.masking.finding import Masked
from holdfast.masking.parts import Part, Parted
from holdfast.masking.pieces import Pieces, Terms
from holdfast.masking.place import Place
from holdfast.masking.seams import Neighbours, Seam, is_found, seam
from holdfast.masking.size import fits, fits_in_place
from holdfast.masking.unscanned import MASK as UNSCANNED_MASK
from holdfast.masking.work.pool import Pool

KEPT_CHARS_MAX: Final = 4096  # a user agent has a hundred, a reason for a decision a thousand


class Masker:
    """Masks messages by one set of rules."""

    def __init__(
        self, rules: MaskingRules, key: bytes, workers: Pool | None = None, automata: Automata | None = None
    ) -> None:
        """Build and warm the engine. ``key`` (32 bytes) is the key of pseudonyms; ``automata`` saves compiling anew.

        Raises:
            MaskingError: the engine cannot be loaded, or the key has another length.
        """
        self._core = Core(rules, key, automata)
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
        if budget.is_used:
            await asyncio.sleep(0)  # a batch of such messages must not take the loop from everybody until its end
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

    def seam(self, path: str, text: str, beside: Neighbours, direction: Direction, *, server: str) -> Seam:
        """``text``, which stands at ``path`` of a message of ``direction``, masked where it runs into its neighbours.

        Raises:
            MaskingError: the engine failed or a limit was passed.
        """
        return seam(self._core.walk(server, None, direction, Budget()), text, beside, Place(path))

    def is_found(self, path: str, text: str, start: int, direction: Direction, *, server: str) -> bool:
        """Whether what ends ``text``, at ``path`` of a message, from ``start`` on is masked whatever follows it.

        Raises:
            MaskingError: the engine failed or a limit was passed.
        """
        return is_found(self._core.walk(server, None, direction, Budget()), text, start, Place(path))

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
