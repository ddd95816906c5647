"""What gateway and worker say to each other about the seams of a text; read as strictly as all else between them."""

from holdfast.errors import MaskingError
from holdfast.jsontext import Json
from holdfast.masking.finding import Finding, Issued
from holdfast.masking.seams import Begun, Ends, Neighbours, Seam
from holdfast.masking.work.wire import UNREADABLE, direction_of, records_of, records_to_json


def ends_to_json(ends: Ends) -> Json:
    """A text and its neighbours for a worker."""
    return ["seam", ends.server, ends.direction.value, ends.path, ends.text, _beside_to_json(ends.beside)]


def ends_of(value: Json) -> Ends | None:
    """The text that a worker was given; None where the task is another. Raises MaskingError."""
    match value:
        case ["seam", str(server), str(way), str(path), str(text), beside]:
            return Ends(server, direction_of(way), path, text, _beside_of(beside))
        case _:
            return None


def seam_to_json(seam: Seam) -> Json:
    """What came of a text."""
    records = [records_to_json(some) for some in (seam.findings, seam.refused, seam.issued)]
    return [seam.forward, seam.kept, _beside_to_json(seam.next), *records, seam.late_count]


async def seam_of(value: Json) -> Seam:
    """What a worker made of a text.

    Raises:
        MaskingError: it said something else.
    """
    match value:
        case [str(forward), str(kept), following, list(findings), list(refused), list(issued), int(late)]:
            found, barred = await records_of(Finding, findings), await records_of(Finding, refused)
            return Seam(forward, kept, _beside_of(following), found, barred, late, await records_of(Issued, issued))
        case _:
            raise MaskingError(UNREADABLE)


def _beside_to_json(beside: Neighbours) -> Json:
    begun = beside.begun
    stated: Json = None if begun is None else [begun.entity, begun.value, begun.beyond_count]
    return [beside.before, beside.behind, beside.is_masked, stated]


def _beside_of(value: Json) -> Neighbours:
    match value:
        case [str(before), str(behind), bool(is_masked), begun]:
            return Neighbours(before, behind, is_masked, _begun_of(begun))
        case _:
            raise MaskingError(UNREADABLE)


def _begun_of(value: Json) -> Begun | None:
    match value:
        case None:
            return None
        case [str(entity), str(said), int(beyond_count)]:
            return Begun(entity, said, beyond_count)
        case _:
            raise MaskingError(UNREADABLE)
