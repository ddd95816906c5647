"""Subcommands that look and check nothing: `status`, `head`."""

import argparse
import json
import sys

from holdfast.errors import LedgerError
from holdfast.ledger import note
from holdfast.ledger.commands.shared import EXIT_OK, EXIT_UNVERIFIABLE, Commands, add_json, out, say, show
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.verify import Unverifiable


def add(commands: Commands) -> None:
    """Declare the subcommands."""
    status = commands.add_parser("status", help="size, last checkpoint and last Record; checks nothing")
    add_json(status)
    head = commands.add_parser("head", help="print the last signed checkpoint: keep it, or send it to a witness")
    add_json(head)
    for parser in (status, head):
        parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        with open_reader(arguments.data) as reader:
            if arguments.command == "status":
                _status(reader, as_json=arguments.json)
            else:
                _head(reader, as_json=arguments.json)
    except LedgerError as error:
        say(f"ledger: {error}")
        return EXIT_UNVERIFIABLE
    return EXIT_OK


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
    show(facts, as_json=as_json)


def _head(reader: Reader, *, as_json: bool) -> None:
    head = reader.last_checkpoint()
    if head is None:
        raise Unverifiable("the ledger has no checkpoint yet")
    checkpoint = note.parse_checkpoint(note.parse_note(head).text)
    if as_json:
        facts = {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}
        out(json.dumps({**facts, "note": head.decode()}))
    else:
        sys.stdout.write(head.decode())
