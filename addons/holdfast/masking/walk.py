"""Over every string, number and name of a message: what travels, and what is kept.

A :class:`Walk` is made for one message. Each method takes a value and its place, and returns the value twice: as it is
forwarded and as it is kept. Unchanged values come back as they are, so that what nobody masks is not rewritten.
"""

import re
from typing import Final

from holdfast import jsontext
from holdfast.call import Direction
from holdfast.jsontext import Json, JsonObject
from holdfast.masking.arrays import Arrays
from holdfast.masking.blobs import BLOB_CHARS_MIN, Found, dumps_in, looks_like_base64, open_blob, texts_in
from holdfast.masking.budget import Budget
from holdfast.masking.finding import Finding, Issued
from holdfast.masking.joining import Member, Pair, join_dict, join_list, write_sequence, writer_of
from holdfast.masking.keys import KeyForces
from holdfast.masking.leaves import Leaves
from holdfast.masking.members import Members
from holdfast.masking.named.values import Values
from holdfast.masking.octets import masked_numbers
from holdfast.masking.paths import Paths
from holdfast.masking.place import Before, Place
from holdfast.masking.shape import Mode, Shape
from holdfast.masking.shapes import SCHEMA_DATA, SCHEMA_NAMED, shape_of
from holdfast.masking.spans import Span
from holdfast.masking.tools import Tools

_DATA_URL: Final = re.compile(r"data:([\w.+-]{1,64}/[\w.+-]{1,64})(?:;charset=[\w-]{1,32})?;base64,", re.IGNORECASE)


class Walk:
    """Masks one message."""

    def __init__(self, tools: Tools, forces: KeyForces, paths: Paths, direction: Direction, budget: Budget) -> None:
        self._budget = budget
        self._leaves = leaves = Leaves(tools, Values(forces, tools), direction, self._budget)
        self.treated = leaves.treated
        self.issue = leaves.noted.issue
        self.withdraw = leaves.withdraw
        self._scanner = tools.scanner
        self._arrays = Arrays(forces, self._budget)
        self._members = Members(forces, tools.scanner)
        self._forces = forces
        self._paths = paths

    @property
    def is_long(self) -> bool:
        """Whether the message has taken the time of many ordinary ones."""
        return self._budget.is_used

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found so far, in the order of the message."""
        return tuple(self._leaves.noted.findings)

    @property
    def refused(self) -> tuple[Finding, ...]:
        """What makes that the message must not travel, as far as that was found."""
        return tuple(self._leaves.noted.refused)

    @property
    def issued(self) -> tuple[Issued, ...]:
        """The masks so far that a Caller may send back."""
        return tuple(self._leaves.noted.issued.values())

    @property
    def late_count(self) -> int:
        """How many findings began before a part of a text, and so were known too late; see :meth:`part`."""
        return self._leaves.late_count

    def settled(self, place: Place) -> Place:
        """``place`` as the path rules make it."""
        return self._paths.at(place)

    def spans(self, text: str, before: str, place: Place) -> list[Span]:
        """What is found in ``text`` as it stands after ``before``."""
        return self._leaves.spans(text, before, place.context)

    def part(self, text: str, at: int, before: Before, place: Place) -> tuple[str, str] | None:
        """``text[:at]`` of a text that comes in parts, scanned and not opened; None where it cannot be cut there."""
        self._leaves.count()
        return self._leaves.part(text, at, before, place)

    def data(self, value: Json, place: Place) -> Pair:
        """A value of the tool, the prompt or the user: everything in it is scanned."""
        if isinstance(value, str):
            return self.text(value, place)
        self._leaves.count()
        if value is None or isinstance(value, bool):
            return value, value
        if isinstance(value, int | float):
            return self._leaves.number(value, self._paths.at(place))
        if isinstance(value, list):
            numbers = masked_numbers(value, lambda text: self.text(text, place.inside()))
            if numbers is not None:
                return numbers
            places = self._arrays.places(value, place)
            return join_list([self.data(item, one) for item, one in zip(value, places, strict=True)], value)
        return self._object(value, place)

    def text(self, text: str, place: Place) -> tuple[str, str]:
        """A text: masked whole where a rule says so, opened where it holds JSON or base64, else scanned."""
        self._leaves.count()
        if not text:
            return text, text
        return self._leaves.guarded(self._text, text, self._paths.at(place))

    def _text(self, text: str, place: Place) -> tuple[str, str]:
        forced = self._leaves.forced(text, place)
        if forced is not None:
            return forced
        if text[0] in "{[" or text.lstrip()[:1] in ("{", "["):
            opened = self._json(text, place)
            if opened is not None:
                return opened
        elif looks_like_base64(text):
            opened = self._blob_text(text, None, place)
            if opened is not None:
                return opened
        return self._prose(text, place)

    def _prose(self, text: str, place: Place) -> tuple[str, str]:
        """A text that is scanned as it stands, but for dumps of texts in it, of two lines or more.

        What can be read in such digits by chance, cards among them, says nothing, so they are read in no other way.
        """
        pairs, at = [], 0
        dumps = dumps_in(text, self._budget) if len(text) >= BLOB_CHARS_MIN else ()
        for start, end, blob in dumps:
            if "\n" not in text[start:end]:
                continue
            forward, kept = self.text(blob.text, place.inside())
            whole = text[start:end]
            pairs += [self._woven(text[at:start], place)] if start > at else []
            pairs.append(
                (
                    whole if forward == blob.text else blob.encode(forward),
                    whole if kept == blob.text else blob.encode(kept),
                )
            )
            at = end
        if not pairs:
            return self._woven(text, place, dumps)
        pairs += [self._woven(text[at:], place)] if at < len(text) else []
        return "".join(forward for forward, _ in pairs), "".join(kept for _, kept in pairs)

    def _woven(self, text: str, place: Place, dumps: tuple[Found, ...] | None = None) -> tuple[str, str]:
        """A text that is scanned as it stands, once what it holds in base64 and hexadecimal has been opened.

        What was opened is scanned as it stands too: a card in groups of four may as well be read as bytes. ``dumps``
        are those in ``text``, where they are known.
        """
        forwards, keeps, at = [], [], 0
        is_long = len(text) >= BLOB_CHARS_MIN
        lines = dumps_in(text, self._budget) if dumps is None and is_long else dumps or ()
        for start, end, blob in texts_in(text, lines) if is_long else ():
            forward, kept = self.text(blob.text, place.inside())
            forwards += [text[at:start], text[start:end] if forward == blob.text else blob.encode(forward)]
            keeps += [text[at:start], text[start:end] if kept == blob.text else blob.encode(kept)]
            at = end
        if keeps == forwards:
            return self._leaves.plain("".join((*keeps, text[at:])) if keeps else text, place)
        kept = self._leaves.plain("".join((*keeps, text[at:])), place.as_kept())[1]
        return self._leaves.unreported().plain("".join((*forwards, text[at:])), place, keeps=False)[0], kept

    def _json(self, text: str, place: Place) -> tuple[str, str] | None:
        self._budget.open(text)
        try:
            value = jsontext.parse_text(text)
        except jsontext.JsonError:
            return self._json_lines(text, place)
        self._scanner.expect(value, self._budget)
        forward, kept = self.data(value, place.inside())
        dump = writer_of(text)
        return (text if forward is value else dump(forward)), (text if kept is value else dump(kept))

    def _json_lines(self, text: str, place: Place) -> tuple[str, str] | None:
        """Several objects or arrays in a row, as logs and exports have one in each line; None where it is no such."""
        try:
            parts = jsontext.parse_sequence(text)
        except jsontext.JsonError:
            return None  # a log line, a path: scanned as text
        values = [value for *_, value in parts]
        self._scanner.expect(values, self._budget)
        forward, kept = self.data(values, place.inside())
        return write_sequence(text, parts, forward), write_sequence(text, parts, kept)

    def _blob_text(self, text: str, mime: str | None, place: Place) -> tuple[str, str] | None:
        blob = open_blob(text, mime)
        if blob is None:
            return None
        forward, kept = self.text(blob.text, place.inside())
        if forward == blob.text == kept:
            return None if mime is None else (text, text)
        return (text if forward == blob.text else blob.encode(forward)), blob.encode(kept)

    def _object(self, value: JsonObject, place: Place) -> Pair:
        pairs: list[Member] = []
        said = self._members.of(value, place)
        for name, item in value.items():
            forward_name, kept_name = self._name(name, place)
            inner = _asked(said.place(name, kept_name, item), place, name)
            pairs.append((forward_name, kept_name, *self.data(item, inner)))
        return join_dict(pairs, value)

    def _name(self, name: str, place: Place) -> tuple[str, str]:
        self._leaves.count()
        return self._leaves.guarded(self._plain_name, name, Place(place.path, travels=place.travels))

    def _plain_name(self, name: str, place: Place) -> tuple[str, str]:
        if self._scanner.is_clean_name(name, self._budget):
            return name, name
        return self._leaves.plain(name, place)

    def protocol(self, value: Json, place: Place) -> Pair:
        """A field that the protocol reads: forwarded as it is, masked in what is kept."""
        if value is None or isinstance(value, bool):
            return value, value
        if isinstance(value, int) and abs(value) < 10**6:
            return value, value
        return value, self.data(value, place.as_protocol())[1]

    def shaped(self, value: Json, kind: "Mode | str", place: Place) -> Pair:
        """A value of a known place: a :class:`Mode`, or the name of a shape."""
        match kind:
            case Mode.DATA | Mode.BLOB:
                return self.data(value, place)
            case Mode.PROTOCOL:
                return self.protocol(value, place)
            case Mode.SCHEMA:
                return self._schema(value, place)
            case Mode.URL:
                return self._url(value, place)
        self._leaves.count()
        if isinstance(value, list):
            return join_list([self.shaped(item, kind, place.item(index)) for index, item in enumerate(value)], value)
        if not isinstance(value, dict):
            return self.data(value, place)
        shape = shape_of(kind, value)
        return self.data(value, place) if shape is None else self.members(value, shape, place)

    def members(self, value: JsonObject, shape: Shape, place: Place) -> Pair:
        """The members of an object of a known shape, each in its own way."""
        pairs: list[Member] = []
        for name, item in value.items():
            mode = shape.members.get(name, shape.each or Mode.DATA)
            known = name in shape.members
            forward_name, kept_name = (name, name) if known else self._name(name, place)
            said = self._scanner.without_masks(kept_name)
            inner = place.member(said, kept_name, None if known or shape.each else self._forces.of(said, place.context))
            inner = _asked(inner, place, name)
            if mode is Mode.BLOB and isinstance(item, str):
                mime = value.get("mimeType", value.get("media_type"))
                pairs.append((forward_name, kept_name, *self._blob(item, mime, inner)))
            else:
                pairs.append((forward_name, kept_name, *self.shaped(item, mode, inner)))
        return join_dict(pairs, value)

    def _blob(self, text: str, mime: Json, place: Place) -> tuple[str, str]:
        self._leaves.count()
        opened = self._blob_text(text, mime if isinstance(mime, str) else "", place)
        if opened is not None:
            return opened
        # What is no text is an image, a sound or an archive; what is no base64 is scanned like any text.
        return (text, text) if looks_like_base64(text) else self._leaves.guarded(self._leaves.plain, text, place)

    def _url(self, value: Json, place: Place) -> Pair:
        if isinstance(value, dict):
            return self.shaped(value, "llm.address", place)
        match = _DATA_URL.match(value) if isinstance(value, str) else None
        if match is None or not isinstance(value, str):
            return self.data(value, place)
        forward, kept = self._blob(value[match.end() :], match[1], place)
        return match[0] + forward, match[0] + kept

    def _schema(self, value: Json, place: Place, *, named: bool = False) -> Pair:
        self._leaves.count()
        if isinstance(value, list):
            return join_list([self._schema(item, place.item(index)) for index, item in enumerate(value)], value)
        if not isinstance(value, dict):
            return self.protocol(value, place)
        pairs: list[Member] = []
        for name, item in value.items():
            kept_name = self._name(name, place)[1]
            # What a property is called says what its default and its examples are.
            is_data = name in SCHEMA_DATA and not named
            force = self._forces.of(name, place.context) if named or is_data else None
            inner = place.member(name, kept_name, force)
            if is_data:
                pairs.append((name, kept_name, *self.data(item, inner)))
            else:
                pairs.append((name, kept_name, *self._schema(item, inner, named=name in SCHEMA_NAMED and not named)))
        return join_dict(pairs, value)


def _asked(inner: Place, outer: Place, name: str) -> Place:
    """``inner``, the place of the member ``name`` of ``outer``, with what is asked of it."""
    return inner if outer.schema is None else inner.asking(outer.schema.member(name))
