#!/usr/bin/env python3
"""Look at a ledger: status, verify, head, export.

Exit codes: 0 ok, 1 tampered, 2 cannot be verified or read, 3 wrong usage.
"""

import argparse
import dataclasses
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "addons"))

from holdfast.errors import LedgerError
from holdfast.ledger import note
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.verify import Unverifiable, Verified, verify

EXIT_OK: Final = 0
EXIT_TAMPERED: Final = 1
EXIT_UNVERIFIABLE: Final = 2
EXIT_USAGE: Final = 3
CHECKPOINT_BYTES_MAX: Final = note.NOTE_BYTES_MAX


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        description="Look at a ledger. The gateway may be running.",
        epilog="exit codes: 0 ok, 1 tampered, 2 cannot be verified or read, 3 wrong usage",
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="the data folder (default: data)")
    commands = parser.add_subparsers(dest="command", required=True)
    json_help = "print one JSON object for a program to read"
    status = commands.add_parser("status", help="size, last checkpoint and last Record; checks nothing")
    status.add_argument("--json", action="store_true", help=json_help)
    checking = commands.add_parser(
        "verify", help="check every Record, payload and checkpoint; name the first wrong one"
    )
    checking.add_argument("--json", action="store_true", help=json_help)
    checking.add_argument(
        "--vkey", type=Path, help="file with the ledger's public key as you received it (default: the folder's own)"
    )
    checking.add_argument(
        "--checkpoint", type=Path, action="append", default=[], help="a signed checkpoint you kept from earlier"
    )
    head = commands.add_parser("head", help="print the last signed checkpoint: keep it, or send it to a witness")
    head.add_argument("--json", action="store_true", help=json_help)
    export = commands.add_parser("export", help="print Records, one JSON object per line, byte for byte")
    export.add_argument("--from", dest="start", type=_index, default=0, help="index of the first Record (default: 0)")
    export.add_argument("--to", dest="end", type=_index, help="index after the last Record (default: all)")
    return parser


def _index(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError("expected a number from 0")
    return int(text)


def _status(reader: Reader, *, as_json: bool) -> None:
    size = reader.size()
    last = json.loads(reader.record(size - 1)) if size else {}
    head = reader.last_checkpoint()
    signed = note.parse_checkpoint(note.parse_note(head).text) if head else None
    facts = {
        "origin": signed.origin if signed else None,
        "records": size,
        "signed": signed.size if signed else 0,
        "root": signed.root.hex() if signed else None,
        "last_typ": last.get("typ"),
        "last_at": last.get("ts"),
        "stopped": last.get("typ") == "ledger.stop",
    }
    _show(facts, as_json=as_json)


def _show(facts: dict[str, str | int | None], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        print(f"{name.replace('_', ' '):<13} {'-' if value is None else value}")


def _head(reader: Reader, *, as_json: bool) -> None:
    head = reader.last_checkpoint()
    if head is None:
        raise Unverifiable("the ledger has no checkpoint yet")
    checkpoint = note.parse_checkpoint(note.parse_note(head).text)
    if as_json:
        facts = {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}
        print(json.dumps({**facts, "note": head.decode()}))
    else:
        print(head.decode(), end="")


def _export(reader: Reader, start: int, end: int | None) -> None:
    for _, entry in reader.records(start, end):
        sys.stdout.buffer.write(entry + b"\n")
    sys.stdout.buffer.flush()


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
        return file.read(CHECKPOINT_BYTES_MAX + 1)


def _tell_verified(verified: Verified, *, as_json: bool, has_key: bool, has_checkpoint: bool) -> None:
    if as_json:
        print(json.dumps({"verified": True, **dataclasses.asdict(verified), "key_from_folder": not has_key}))
        return
    print(f"verified: {verified.size} Records of {verified.origin}, {verified.checkpoints} checkpoints,")
    print(f"  {verified.payloads} payloads, {verified.objects} objects, {verified.starts} starts")
    if verified.unsigned:
        print(f"  {verified.unsigned} Records are newer than the last checkpoint; no signature covers them yet")
    if verified.clock_steps:
        print(f"  the wall clock went back {verified.clock_steps} times")
    if not has_key:
        print("  the key came from the folder itself; pass --vkey to know that this is the ledger you mean")
    if not has_checkpoint:
        print("  pass --checkpoint with one you kept to know that nothing after it was cut off")


def _fail(error: LedgerError, code: int, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"verified": False, "tampered": code == EXIT_TAMPERED, "error": str(error)}))
    print(f"ledger: {error}", file=sys.stderr)
    return code


def _read(arguments: argparse.Namespace) -> int:
    try:
        with open_reader(arguments.data) as reader:
            match arguments.command:
                case "status":
                    _status(reader, as_json=arguments.json)
                case "head":
                    _head(reader, as_json=arguments.json)
                case _:
                    _export(reader, arguments.start, arguments.end)
    except LedgerError as error:
        print(f"ledger: {error}", file=sys.stderr)
        return EXIT_UNVERIFIABLE
    return EXIT_OK


def main(argv: Sequence[str]) -> int:
    """Run one command; returns the exit code."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `export | head` ends quietly
    arguments = _parser().parse_args(argv)
    if arguments.command != "verify":
        return _read(arguments)
    try:
        verified = _verify(arguments)
    except Unverifiable as error:
        return _fail(error, EXIT_UNVERIFIABLE, as_json=arguments.json)
    except LedgerError as error:
        return _fail(error, EXIT_TAMPERED, as_json=arguments.json)
    _tell_verified(
        verified,
        as_json=arguments.json,
        has_key=arguments.vkey is not None,
        has_checkpoint=bool(arguments.checkpoint),
    )
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
