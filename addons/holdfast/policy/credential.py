"""The gateway's own credential for a server, from its secret file to the header that the server gets."""

import dataclasses
import re
from pathlib import Path
from typing import Final

from holdfast.errors import RulesError, SettingsError
from holdfast.ledger.keeping.keyfiles import read
from holdfast.policy.servers import AUTHORIZATION, Server

CREDENTIAL_BYTES_MAX: Final = 8 * 1024  # servers take no longer headers; the largest tokens have about half of it
_VALUE: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
FILE: Final = "servers.yaml"


def with_credential(server: Server, directory: Path) -> Server:
    """``server`` with what its ``credential_file`` holds; a relative path begins at ``directory``.

    As `authorization`, one word is a bearer token (RFC 6750, section 2.1); more, such as `Basic dXNlcg==`, stands as it
    is. In any other header all of it stands as it is.

    Raises:
        RulesError: missing, open to others than its owner, or not one line of visible ASCII.
    """
    if server.credential_file is None:
        return server
    try:
        data = read(directory / Path(server.credential_file).expanduser(), CREDENTIAL_BYTES_MAX)
    except SettingsError as error:
        raise _wrong(server, str(error)) from None
    value = data.decode("latin-1").removesuffix("\n").removesuffix("\r")
    if not _VALUE.fullmatch(value):
        raise _wrong(server, f"{server.credential_file} is not one line of visible ASCII")
    if server.credential_header == AUTHORIZATION and " " not in value:
        value = f"Bearer {value}"
    return dataclasses.replace(server, credential=(server.credential_header, value))


def _wrong(server: Server, problem: str) -> RulesError:
    return RulesError(
        FILE, server.line, f"credential_file of {server.id}: {problem}", "Put the token alone into a file, mode 0600"
    )
