"""Subcommands that keep a ledger going: `rotate-key`, `recover`."""

import argparse
import dataclasses
import json
import os
import pwd
import re
from typing import Final

from holdfast.build import VERSION, code_digest_hex
from holdfast.clock import SystemClock
from holdfast.errors import HoldfastError
from holdfast.jsontext import JsonObject
from holdfast.ledger.commands.shared import EXIT_OK, EXIT_UNVERIFIABLE, Commands, add_json, out, say
from holdfast.ledger.keeping.recovering import Recovered, loss, recover
from holdfast.ledger.keys import OLD_DIR
from holdfast.ledger.remote.access import open_for_command
from holdfast.ledger.schema import KEYS_DIR

_UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}


def add(commands: Commands) -> None:
    """Declare the subcommands."""
    rotating = commands.add_parser("rotate-key", help="have a new key sign from here on; the gateway may be running")
    rotating.add_argument(
        "--overlap",
        type=_seconds,
        default="24h",
        help="for how long the old key signs too: 90m, 24h, 7d (default: 24h)",
    )
    rotating.set_defaults(run=_rotate)
    recovering = commands.add_parser(
        "recover", help="keep a ledger that does not open aside, and go on in a new epoch that names it"
    )
    recovering.add_argument("--even-if-whole", action="store_true", help="also where the ledger opens")
    recovering.set_defaults(run=_recover)
    for parser in (rotating, recovering):
        parser.add_argument("--reason", required=True, help="why; stands in the Record")
        add_json(parser)


def _seconds(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,9})([smhd])", text)
    if match is None:
        raise argparse.ArgumentTypeError("expected a number and one of s, m, h, d, such as 24h")
    return int(match[1]) * _UNITS_S[match[2]]


def operator() -> JsonObject:
    """Who runs this command, as the operating system says."""
    uid = os.getuid()
    try:
        return {"uid": uid, "name": pwd.getpwuid(uid).pw_name}
    except KeyError:  # a container may know no name for it
        return {"uid": uid}


def _rotate(arguments: argparse.Namespace) -> int:
    try:
        with open_for_command(arguments.data, SystemClock()) as ledger:
            key = ledger.rotate_blocking(overlap_s=arguments.overlap, reason=arguments.reason, operator=operator())
    except HoldfastError as error:
        say(f"ledger: {error}")
        return EXIT_UNVERIFIABLE
    vkey = key.to_text()
    if arguments.json:
        out(json.dumps({"vkey": vkey, "key_id": key.key_id.hex(), "overlap_s": arguments.overlap}))
        return EXIT_OK
    out("a new key signs from here on; this is its public half:")
    out(vkey)
    out(f"it is in {arguments.data / KEYS_DIR / 'ledger.vkey'}, the earlier ones are in {OLD_DIR}/ beside it")
    out("give it to everyone who verifies, and to every witness, by the way you gave them the first")
    out("back up keys/ now: without this key the ledger cannot go on")
    return EXIT_OK


def _recover(arguments: argparse.Namespace) -> int:
    try:
        recovered = recover(
            arguments.data,
            SystemClock(),
            build={"version": VERSION, "build": code_digest_hex()},
            reason=arguments.reason,
            operator=operator(),
            even_if_whole=arguments.even_if_whole,
        )
    except HoldfastError as error:
        say(f"ledger: {error}")
        return EXIT_UNVERIFIABLE
    except OSError as error:
        say(f"ledger: the recovery stopped ({error.strerror}); run it again once the cause is gone")
        return EXIT_UNVERIFIABLE
    _tell(recovered, as_json=arguments.json)
    return EXIT_OK


def _tell(recovered: Recovered, *, as_json: bool) -> None:
    lines = loss(recovered)
    if as_json:
        facts = dataclasses.asdict(recovered) | {"kept": str(recovered.kept), "loss": lines}
        out(json.dumps(facts))
        return
    if recovered.fault is not None:
        out(f"why it did not open: {recovered.fault}")
    for line in lines:
        out(line)
    out(f"it is kept as it was in {recovered.kept}; verify it with --data {recovered.kept}")
    out(f"the ledger goes on as {recovered.origin}, with a new key:")
    out(recovered.vkey)
    out("where holdfast_origin is set, leave it out or set it to this name; give the key to everyone who verifies")
    out("back up keys/ now: without this key the ledger cannot go on")
