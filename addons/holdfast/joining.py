"""Masks a message of a stream with regard to the texts that went before it and that wait behind it."""

import dataclasses

from holdfast.call import Call, Message
from holdfast.masking.finding import Finding, Issued, Masked
from holdfast.masking.masker import Masker
from holdfast.running import Spot, with_text
from holdfast.window import Window


@dataclasses.dataclass(frozen=True, slots=True)
class Joining:
    """Masks one message of the stream whose ``window`` it left; ``spots`` are its texts that may run on."""

    masker: Masker
    window: Window
    spots: tuple[Spot, ...]

    async def __call__(self, message: Message, *, server: str) -> Masked:
        """``message`` as it travels and as it is kept; see :meth:`holdfast.masking.masker.Masker.mask`."""
        if not self.spots or not isinstance(message, Call):
            return await self.masker.mask(message, server=server)
        forward = kept = message
        findings: list[Finding] = []
        refused: list[Finding] = []
        issued: list[Issued] = []
        late_count = 0
        for spot in self.spots:
            beside = self.window.beside(spot)
            seam = await self.masker.seam(spot.path, spot.text, beside, message.direction, server=server)
            self.window.remember(spot, seam.next)
            forward = with_text(forward, spot.steps, seam.forward) if seam.forward != spot.text else forward
            kept = with_text(kept, spot.steps, seam.kept) if seam.kept != spot.text else kept
            findings += seam.findings
            refused += seam.refused
            issued += seam.issued
            late_count += seam.late_count
        masked = await self.masker.mask(forward, server=server)
        if forward != kept:  # a mask that is kept and does not travel
            keeping = await self.masker.mask(kept, server=server)
            masked = dataclasses.replace(masked, keep=keeping.keep, findings=keeping.findings)
        return dataclasses.replace(
            masked,
            findings=(*masked.findings, *findings),
            issued=(*masked.issued, *issued),
            refused=(*masked.refused, *refused),
            late_count=late_count,
        )
