"""The keys of a gateway whose ledger another process writes: for masks and digests of requests. It signs nothing.

`keys/` (0700) in the gateway's own data folder holds `masking.key` and `request.key` (32 random bytes each) and
`origin`, the name of the ledger that this gateway writes to, all 0600. A gateway that wrote its ledger itself has them.
"""

import dataclasses
import logging
import secrets
import stat
from pathlib import Path
from typing import Final

from holdfast.errors import SettingsError
from holdfast.ledger.keeping import keyfiles
from holdfast.ledger.keys import SECRET_BYTES
from holdfast.ledger.schema import KEYS_DIR

_SECRETS: Final = ("masking.key", "request.key")
_LOG: Final = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class OwnKeys:
    """``masking`` makes masks, ``request`` the digests of held and refused requests; 32 bytes each."""

    masking: bytes = dataclasses.field(repr=False)
    request: bytes = dataclasses.field(repr=False)


def open_own_keys(directory: Path, origin: str) -> OwnKeys:
    """The keys in ``directory``/keys, for a ledger called ``origin``; made now if this is the first start.

    Raises:
        SettingsError: a key is missing, malformed or readable by others; or the ledger is not the one of before.
    """
    folder = directory / KEYS_DIR
    try:
        if not folder.exists():
            folder.mkdir(mode=0o700)
            _LOG.info("created %s for masks and digests; the ledger's key lies with its writer", folder)
        keyfiles.check_mode(folder, folder.lstat(), stat.S_ISDIR)
        if not (folder / "origin").exists():
            # `origin` last: where it is, the others are complete. Those that were brought along stay.
            for name in [name for name in _SECRETS if not (folder / name).exists()]:
                keyfiles.replace(folder / name, secrets.token_bytes(SECRET_BYTES))
            keyfiles.replace(folder / "origin", origin.encode() + b"\n")
    except OSError as error:
        raise SettingsError(f"{folder} cannot be written: {error.strerror}") from None
    found = [keyfiles.read(folder / name) for name in _SECRETS]
    if any(len(data) != SECRET_BYTES for data in found):
        raise SettingsError(f"a key in {folder} does not have {SECRET_BYTES} bytes")
    if keyfiles.read(folder / "origin").decode("utf-8", "replace").removesuffix("\n") != origin:
        raise SettingsError(
            f"{folder / 'origin'} names another ledger than the one that is served; a gateway keeps its own"
        )
    if (folder / "ledger.pem").exists():
        _LOG.warning("%s holds a ledger's private key: whoever breaks into the gateway has it too", folder)
    return OwnKeys(*found)
