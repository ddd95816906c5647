"""Samples that nobody could choose: drawn by a seed that neither the operator nor the auditor knew beforehand.

The seed is SHA-256 of the root at the end of the range and of a nonce that the auditor says. The operator cannot steer
the draw, because the nonce comes after the root; the auditor cannot, because the root is signed. docs/foreign.md says
how to draw again by hand. Standard library only.

`samples/selection.json` states the draw; `samples/<n>.json` is Record n byte for byte, and `samples/<n>.tlog-proof` its
proof.
"""

import base64
import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from holdfast import jsontext
from holdfast.errors import EvidenceError, LedgerError
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger import tlogproof, tree

FOLDER: Final = "samples"
SELECTION_FILE: Final = "samples/selection.json"
COUNT_MAX: Final = 10_000  # more is no sample; ask for the population, which the package holds anyway
NONCE_CHARS_MAX: Final = 200
METHOD: Final = (
    "seed = SHA-256(root at the end of the range, 32 bytes, followed by the nonce in UTF-8). For counter = 0, 1, 2...: "
    "number = SHA-256(seed in lower-case hex, followed by the counter in decimal) read as an integer of 256 bits, most "
    "significant byte first. A number from the largest multiple of the population's size up to 2^256 is skipped. "
    "position = number modulo the population's size; a position that was drawn before is skipped. The sample is what "
    "stands at that position of the population in ascending order, from 0. Where the count is not smaller than the "
    "population, all of it is the sample, in order."
)


def seed_of(root: bytes, nonce: str) -> bytes:
    """SHA-256 of ``root`` (32 bytes) and ``nonce``."""
    return hashlib.sha256(root + nonce.encode("utf-8")).digest()


def select(root: bytes, nonce: str, population: Sequence[int], count: int) -> tuple[int, ...]:
    """``count`` of the ``population`` (ascending indices), each at most once, in the order drawn. See :data:`METHOD`.

    Raises:
        EvidenceError: more than 10,000, or a nonce that is empty, too long or not printable.
    """
    if not 0 <= count <= COUNT_MAX:
        raise EvidenceError(f"a sample has at most {COUNT_MAX} Records")
    if not 0 < len(nonce) <= NONCE_CHARS_MAX or not nonce.isprintable():
        raise EvidenceError(f"a nonce has 1 to {NONCE_CHARS_MAX} printable characters")
    if count >= len(population):
        return tuple(population)
    seed_hex = seed_of(root, nonce).hex()
    # Numbers from here on would make the first positions likelier than the rest.
    limit = (1 << 256) - (1 << 256) % len(population)
    drawn: dict[int, None] = {}
    counter = 0
    while len(drawn) < count:
        digest = hashlib.sha256(f"{seed_hex}{counter}".encode("ascii")).digest()
        number = int.from_bytes(digest, "big")
        counter += 1
        if number < limit:
            drawn.setdefault(number % len(population))
    return tuple(population[position] for position in drawn)


@dataclasses.dataclass(frozen=True, slots=True)
class Selection:
    """A draw: over how many Records (``population_size``) and which (``population``, in words), and what came."""

    root: bytes
    nonce: str
    population: str
    population_size: int
    chosen: tuple[int, ...]

    def as_json(self) -> bytes:
        """`samples/selection.json`."""
        chosen: list[Json] = [*self.chosen]
        body: JsonObject = {
            "chosen": chosen,
            "method": METHOD,
            "nonce": self.nonce,
            "population": {"size": self.population_size, "what": self.population},
            "root": base64.b64encode(self.root).decode("ascii"),
            "seed": seed_of(self.root, self.nonce).hex(),
        }
        return jsontext.canonical(body) + b"\n"


def draw(root: bytes, nonce: str, population: Sequence[int], what: str, count: int) -> Selection:
    """The Selection of ``count`` out of ``population``, which is ``what``.

    Raises:
        EvidenceError: see :func:`select`.
    """
    return Selection(root, nonce, what, len(population), select(root, nonce, population, count))


def files(
    selection: Selection, record: Callable[[int], bytes], path: Callable[[int], Sequence[bytes]], checkpoint: bytes
) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file in `samples/`.

    Args:
        selection: see :func:`draw`.
        record: the bytes of a Record.
        path: its inclusion path in the tree of ``checkpoint``.
        checkpoint: the signed checkpoint at the end of the range, which every proof carries.
    """
    yield SELECTION_FILE, selection.as_json()
    for index in selection.chosen:
        proof = tlogproof.Proof(index, tuple(path(index)), checkpoint)
        yield f"{FOLDER}/{index}.json", record(index)
        yield f"{FOLDER}/{index}{tlogproof.SUFFIX}", tlogproof.format(proof)


def parse_selection(data: bytes) -> Selection:
    """The inverse of :meth:`Selection.as_json`, strict.

    Raises:
        EvidenceError: any other spelling, or another method.
    """
    try:
        match jsontext.parse(data):
            case {
                "chosen": list(chosen),
                "nonce": str(nonce),
                "population": {"size": int(size), "what": str(what)},
                "root": str(root),
            } if all(isinstance(one, int) for one in chosen):
                indices = tuple(one for one in chosen if isinstance(one, int))
                selection = Selection(base64.b64decode(root, validate=True), nonce, what, size, indices)
            case _:
                raise EvidenceError(f"{SELECTION_FILE}: not a selection of samples")
    except ValueError:
        raise EvidenceError(f"{SELECTION_FILE}: not a selection of samples") from None
    if selection.as_json() != data:
        raise EvidenceError(f"{SELECTION_FILE}: not in canonical form, or drawn by another method")
    return selection


def check_drawn(selection: Selection, root: bytes, population: Sequence[int]) -> None:
    """Return if the selection is what the seed draws out of ``population``.

    Raises:
        EvidenceError: another root, another population, or other Records than the seed gives.
    """
    if selection.root != root:
        raise EvidenceError(f"{SELECTION_FILE}: the seed is not made of the root at the end of the range")
    if selection.population_size != len(population):
        size = selection.population_size
        raise EvidenceError(f"{SELECTION_FILE}: drawn from {size} Records; the population has {len(population)}")
    if selection.chosen != select(root, selection.nonce, population, len(selection.chosen)):
        raise EvidenceError(f"{SELECTION_FILE}: the seed draws other samples than these")


def check_sample(index: int, record: bytes, proof: bytes, opened: tuple[bytes, bytes, int]) -> None:
    """Return if ``proof`` shows that ``record`` stands at ``index``.

    Args:
        index: of the Record.
        record: its bytes.
        proof: the file `samples/<index>.tlog-proof`.
        opened: the checkpoint whose signature the caller has checked: its note, root and size.

    Raises:
        EvidenceError: it does not, or it carries another checkpoint.
    """
    note_bytes, root, size = opened
    name = f"{FOLDER}/{index}{tlogproof.SUFFIX}"
    try:
        parsed = tlogproof.parse(proof)
        if parsed.index != index or parsed.extra:
            raise EvidenceError(f"{name}: it speaks of Record {parsed.index}, or has extra data")
        if parsed.checkpoint != note_bytes:
            raise EvidenceError(f"{name}: it carries another checkpoint than the one at the end of the range")
        tree.verify_inclusion(tree.leaf_hash(record), index, size, parsed.path, root)
    except LedgerError as error:
        raise EvidenceError(f"{name}: {error}") from None
