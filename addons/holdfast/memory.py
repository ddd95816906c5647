"""What the garbage collector of a process that masks messages looks at."""

import gc
from typing import Final

GC_THRESHOLDS: Final = (100_000, 50, 50)  # one call makes some hundred objects, nearly all of them free at its end


def settle_memory() -> None:
    """Take what start-up built (recognizers, grammars, tables) out of the garbage collector's rounds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
