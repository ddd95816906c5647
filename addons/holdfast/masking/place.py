"""A place in a message: what masking knows about a value besides the value."""

import dataclasses

from holdfast.masking.around import Around
from holdfast.masking.force import Force
from holdfast.masking.schemas import Schema
from holdfast.masking.unscanned import LeafError
from holdfast.masking.words import is_transparent, name_context

LEAVES_MAX = 100_000  # all values and names of one message, also those of JSON in its texts; some 20 us each
HOLD_BACK_CHARS = 256  # of a text in pieces; values with blanks have up to 200, and the label before them has gone
HOLD_BACK_MIN = 64  # less would let values go in two halves
HOLD_BACK_MAX = 4096  # more is a page of text, for which nobody waits
JSON_IN_TEXT_MAX = 8  # a signed bundle has five: JSON in base64 in JSON, in that a key in PEM, which is base64 again
_CHANGES = frozenset({"from", "to", "before", "after"})  # what a value was and became, below its name


@dataclasses.dataclass(frozen=True, slots=True)
class Before:
    """The end of what has gone of a text in parts: unmasked, as forwarded and as kept."""

    raw: str = ""
    forwarded: str = ""
    kept: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands.

    ``path`` is the pointer to it, already masked. ``context`` are words that its member's name gives. ``force`` is the
    key or path rule that masks it whole. ``travels`` is False where masks never travel (protocol fields, paths that the
    rules forward). ``level`` counts the texts and blobs that had to be opened to get here. ``schema`` is what the
    tool's definition asks of a value here, where that is known. ``around`` are the columns of the table whose rows, or
    the row whose cells, stand here.
    """

    path: str
    context: tuple[str, ...] = ()
    force: Force | None = None
    travels: bool = True
    level: int = 0
    schema: Schema | None = None
    around: Around | None = None

    def member(self, name: str, kept_name: str, force: Force | None) -> "Place":
        """The place of the member ``name``. A name that says nothing passes on what this place knows."""
        path = f"{self.path}/{kept_name.replace('~', '~0').replace('/', '~1')}"
        if is_transparent(name) or (self.force is not None and name in _CHANGES):
            return Place(path, self.context, force or self.force, self.travels, self.level)
        return Place(path, name_context(name), force, self.travels, self.level)

    def item(self, index: int) -> "Place":
        """The place of an item of an array; it knows what the array knows."""
        path = f"{self.path}/{index}"
        schema = None if self.schema is None else self.schema.item()
        return Place(path, self.context, self.force, self.travels, self.level, schema)

    def asking(self, schema: Schema | None) -> "Place":
        """This place, of whose value ``schema`` asks something."""
        return self if schema is None else dataclasses.replace(self, schema=schema)

    def inside(self) -> "Place":
        """The place of what a text or blob here holds.

        Raises:
            LeafError: that would be one text too many inside another.
        """
        if self.level >= JSON_IN_TEXT_MAX:
            raise LeafError(f"texts are nested more than {JSON_IN_TEXT_MAX} deep")
        return dataclasses.replace(self, level=self.level + 1, schema=None, around=None)

    def as_kept(self) -> "Place":
        """This place, of which another text travels."""
        return dataclasses.replace(self, travels=False)

    def as_protocol(self) -> "Place":
        """This place as a protocol field: masks do not travel."""
        return dataclasses.replace(self, travels=False, force=None)
