"""What a key holder does: make a key, and open the masks that were encrypted for it.

Neither needs the gateway, its rules or Presidio: the private key lies where the holder works, and nowhere else.
"""

import argparse
import base64
import binascii
import os
import sys
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from holdfast.errors import SettingsError
from holdfast.ledger.commands.shared import out, say
from holdfast.masking.sealing import PUBLIC_KEY_BYTES, holders_in, open_all

_OK: Final = 0


def add[P: argparse.ArgumentParser](commands: "argparse._SubParsersAction[P]") -> None:
    """Declare `make-key` and `open`."""
    making = commands.add_parser("make-key", help="make a key holder's key; print the public half for masking.yaml")
    making.set_defaults(run=run_make_key)
    making.add_argument("--out", type=Path, required=True, metavar="FILE", help="where the private key goes (0600)")
    opening = commands.add_parser("open", help="open the encrypted masks in a text, with their holder's key")
    opening.set_defaults(run=run_open)
    opening.add_argument("--key", type=Path, required=True, metavar="FILE", help="the holder's private key")
    opening.add_argument("--holder", help="whose masks; by default of the only holder that the text names")
    opening.add_argument("text", nargs="?", type=Path, metavar="TEXT", help="a file with masks; standard input without")


def run_make_key(options: argparse.Namespace) -> int:
    """Write a new private key, and print the public one."""
    private = X25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        # Never over a key that is there: what it can open, no other can.
        with open(os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 -- with a mode
            file.write(pem)
    except OSError as error:
        raise SettingsError(f"{options.out} cannot be written: {error.strerror}. Name a new file") from None
    out(public_text(private))
    return _OK


def run_open(options: argparse.Namespace) -> int:
    """Print the text with the values in place of the masks; the count on stderr."""
    private = _private_key(options.key)
    try:
        text = options.text.read_text("utf-8") if options.text else sys.stdin.read()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{options.text or 'standard input'} cannot be read: {type(error).__name__}") from None
    opened, count = open_all(text, options.holder or _only_holder(text), private)
    sys.stdout.write(opened)
    say(f"{count} masks opened")
    return _OK


def public_text(private: X25519PrivateKey) -> str:
    """The public half of ``private`` as `public_key` in masking.yaml has it: base64url without padding."""
    return base64.urlsafe_b64encode(private.public_key().public_bytes_raw()).decode().rstrip("=")


def public_bytes(text: str) -> bytes | None:
    """The 32 bytes that :func:`public_text` wrote as ``text``; None where it is no such text."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    spelled = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    return raw if len(raw) == PUBLIC_KEY_BYTES and spelled == text else None


def _only_holder(text: str) -> str:
    names = sorted(holders_in(text))
    if len(names) > 1:
        raise SettingsError(f"the text has masks for {', '.join(names)}. Say --holder")
    return names[0] if names else ""


def _private_key(path: Path) -> X25519PrivateKey:
    try:
        private = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(f"{path} is no private key that can be read: {type(error).__name__}") from None
    if not isinstance(private, X25519PrivateKey):
        raise SettingsError(f"{path} is a key of another kind. Use one that `make-key` made")
    return private
