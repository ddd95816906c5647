"""The command `scripts/witness.py`: init, add-log, serve, status."""

import argparse
import asyncio
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from holdfast.clock import SystemClock, utc_text
from holdfast.errors import HoldfastError, LedgerError, SettingsError
from holdfast.ledger import note
from holdfast.witness import protocol, sqlite
from holdfast.witness.server import folder, web
from holdfast.witness.server.judge import Judge
from holdfast.witness.server.store import Evidence, Store

EXIT_OK: Final = 0
EXIT_CONFLICT: Final = 1
EXIT_FAILED: Final = 2
EXIT_USAGE: Final = 3
_LISTEN: Final = "127.0.0.1:7380"
_PORT_MAX: Final = 65535


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """Every subcommand and option."""
    top = _Parser(
        prog="witness.py",
        description="Run a witness: it cosigns the checkpoints of ledgers, and refuses any that rewrites what it saw.",
        epilog="exit codes: 0 done, 1 a log has signed two histories (status), 2 not possible, 3 wrong usage",
    )
    top.add_argument("--dir", type=Path, default=Path("witness"), help="the witness's folder (default: witness)")
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser)
    init = commands.add_parser("init", help="make the folder and a new key; print the vkey for witnesses.yaml")
    init.add_argument("--name", required=True, help="name of the witness, such as witness.example.com/w1")
    init.set_defaults(run=_init)
    add_log = commands.add_parser("add-log", help="watch a ledger, or take a further key of it after a change of keys")
    add_log.add_argument("--vkey", required=True, help="the ledger's public key: a vkey, or a file that holds one")
    add_log.add_argument("--origin", help="the log's origin (default: the key's name)")
    add_log.set_defaults(run=_add_log)
    serve = commands.add_parser("serve", help="answer over HTTP until stopped")
    serve.add_argument("--listen", type=_address, default=_LISTEN, metavar="HOST:PORT", help=f"default: {_LISTEN}")
    serve.set_defaults(run=_serve)
    status = commands.add_parser("status", help="the vkey, what was cosigned last, and what contradicts it")
    status.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    status.set_defaults(run=_status)
    return top


def _address(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not (port.isascii() and port.isdecimal()) or int(port) > _PORT_MAX:
        raise argparse.ArgumentTypeError("expected HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def main(argv: Sequence[str]) -> int:
    """Run one subcommand; returns the exit code."""
    options = parser().parse_args(argv)
    try:
        return int(options.run(options))
    except HoldfastError as error:
        print(f"witness: {error}", file=sys.stderr)  # noqa: T201 -- a command prints
        return EXIT_FAILED


def _out(text: str) -> None:
    print(text)  # noqa: T201 -- a command prints


def _init(options: argparse.Namespace) -> int:
    signer = folder.create(options.dir, options.name)
    Store.open(options.dir).close()
    _out(signer.key.to_text())
    return EXIT_OK


def _add_log(options: argparse.Namespace) -> int:
    folder.read_vkey(options.dir)
    key = note.parse_vkey(_read_vkey(options.vkey))
    origin = options.origin or key.name
    note.check_name(origin)
    store = Store.open(options.dir)
    try:
        with sqlite.faults_named("the witness's database"):
            is_new = store.add_log(origin, key, SystemClock().now_at())
    finally:
        store.close()
    _out(f"{'watching' if is_new else 'already watching'} {origin} with key {key.key_id.hex()}")
    return EXIT_OK


def _read_vkey(text: str) -> str:
    path = Path(text)
    try:
        is_file = path.is_file()
        return path.read_text("utf-8").removesuffix("\n") if is_file else text
    except (OSError, UnicodeDecodeError):
        raise LedgerError("the vkey file cannot be read") from None


def _serve(options: argparse.Namespace) -> int:
    signer = folder.open_signer(options.dir)
    lock = folder.lock(options.dir)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        store = Store.open(options.dir)
        try:
            asyncio.run(web.serve(Judge(store, signer, SystemClock()), *options.listen))
        finally:
            store.close()
    finally:
        os.close(lock)
    return EXIT_OK


def _status(options: argparse.Namespace) -> int:
    key = folder.read_vkey(options.dir)
    store = Store.read(options.dir)
    try:
        with sqlite.faults_named("the witness's database"):
            logs = [_log_facts(store, origin) for origin in store.origins()]
            evidence = store.evidence()
    except LedgerError as error:
        raise SettingsError(str(error)) from None
    finally:
        store.close()
    if options.json:
        facts = {"vkey": key.to_text(), "logs": logs, "evidence": [_evidence_facts(one) for one in evidence]}
        _out(json.dumps(facts))
    else:
        _tell(key.to_text(), logs, evidence)
    return EXIT_CONFLICT if any(one.kind == "fork" for one in evidence) else EXIT_OK


def _log_facts(store: Store, origin: str) -> dict[str, object]:
    state = store.state_of(origin)
    return {
        "origin": origin,
        "origin_hash": protocol.origin_hash_hex(origin),
        "vkeys": [key.to_text() for key in store.keys_of(origin)],
        "size": state.size if state else None,
        "root": state.root.hex() if state else None,
        "cosigned_at": utc_text(state.at) if state else None,
    }


def _evidence_facts(evidence: Evidence) -> dict[str, str]:
    return {
        "origin": evidence.origin,
        "kind": evidence.kind,
        "at": utc_text(evidence.at),
        "cosigned": evidence.cosigned.decode(),
        "submitted": evidence.submitted.decode(),
    }


def _tell(vkey: str, logs: Sequence[dict[str, object]], evidence: Sequence[Evidence]) -> None:
    _out(f"vkey: {vkey}")
    for facts in logs:
        last = f"size {facts['size']} at {facts['cosigned_at']}" if facts["cosigned_at"] else "nothing cosigned yet"
        _out(f"log: {facts['origin']}: {last}")
    for one in evidence:
        what = "TWO TREES OF ONE SIZE, both signed by the log" if one.kind == "fork" else "not shown to continue"
        _out(f"\n{utc_text(one.at)} {one.origin}: {what}\ncosigned before:\n{one.cosigned.decode()}")
        _out(f"submitted, and refused:\n{one.submitted.decode()}")
