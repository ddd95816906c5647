"""The subcommand `verify`."""

import argparse
import dataclasses
import json
from pathlib import Path

from holdfast.errors import LedgerError
from holdfast.ledger import note
from holdfast.ledger.commands.shared import EXIT_OK, EXIT_TAMPERED, EXIT_UNVERIFIABLE, Commands, add_json, fail, out
from holdfast.ledger.verify import Unverifiable, Verified, verify


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    parser = commands.add_parser("verify", help="check every Record, payload and checkpoint; name the first wrong one")
    add_json(parser)
    parser.add_argument(
        "--vkey", type=Path, help="file with the ledger's public key as you received it (default: the folder's own)"
    )
    parser.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="a signed checkpoint you kept from earlier"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        verified = _verify(arguments)
    except Unverifiable as error:
        return fail(error, EXIT_UNVERIFIABLE, as_json=arguments.json)
    except LedgerError as error:
        return fail(error, EXIT_TAMPERED, as_json=arguments.json)
    _tell(
        verified,
        as_json=arguments.json,
        has_key=arguments.vkey is not None,
        has_checkpoint=bool(arguments.checkpoint),
    )
    return EXIT_OK


def _verify(arguments: argparse.Namespace) -> Verified:
    try:
        vkey = arguments.vkey.read_text("utf-8") if arguments.vkey else None
        known = [_read_checkpoint(path) for path in arguments.checkpoint]
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise Unverifiable(f"a file you named cannot be read: {reason}") from None
    return verify(arguments.data, vkey, known)


def _read_checkpoint(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(note.NOTE_BYTES_MAX + 1)


def _tell(verified: Verified, *, as_json: bool, has_key: bool, has_checkpoint: bool) -> None:
    if as_json:
        out(json.dumps({"verified": True, **dataclasses.asdict(verified), "key_from_folder": not has_key}))
        return
    out(f"verified: {verified.size} Records of {verified.origin}, {verified.checkpoints} checkpoints,")
    out(f"  {verified.payloads} payloads, {verified.objects} objects, {verified.starts} starts")
    if verified.erased:
        out(f"  {verified.erased} payloads were erased, as Records say")
    if verified.unerased:
        out(f"  {verified.unerased} payloads are there that a Record says were erased: erase them again")
    if verified.unsigned:
        out(f"  {verified.unsigned} Records are newer than the last checkpoint; no signature covers them yet")
    if verified.rotations:
        out(f"  the key changed {verified.rotations} times; the one that signs now is {verified.vkey}")
    if verified.clock_steps:
        out(f"  the wall clock went back {verified.clock_steps} times")
    if not has_key:
        out("  the key came from the folder itself; pass --vkey to know that this is the ledger you mean")
    if not has_checkpoint:
        out("  pass --checkpoint with one you kept to know that nothing after it was cut off")
