"""Subcommands that erase payloads: `erase`, by name, and `prune`, by the retention policy."""

import argparse
import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from holdfast.clock import SystemClock, utc_text
from holdfast.errors import HoldfastError
from holdfast.ledger.commands.keeping import operator
from holdfast.ledger.commands.shared import EXIT_OK, EXIT_UNVERIFIABLE, Commands, add_json, out, say
from holdfast.ledger.draft import Receipt
from holdfast.ledger.keeping import erasing, pending
from holdfast.ledger.reader import open_reader
from holdfast.ledger.remote.access import Writable, open_for_command
from holdfast.policy.document import Source
from holdfast.retention.in_force import in_force, refuse_held_by
from holdfast.retention.prune import Plan, plan
from holdfast.retention.rules import FILE, Retention, digest_hex, load_retention
from holdfast.retention.times import parse_time

_RULES: Final = Path(__file__).resolve().parents[4] / "rules"
_COMMITMENT: Final = re.compile("(?:hmac-sha256:)?([0-9a-f]{64})")
_MEDIA: Final = "application/yaml"
_ELSEWHERE: Final = "this reaches no backup of payload.db, and no package that was built before: erase it there too"


def add(commands: Commands) -> None:
    """Declare the subcommands."""
    erase = commands.add_parser("erase", help="erase payloads for good; their Records stay, and one says who did it")
    erase.add_argument("commitment", nargs="+", type=_commitment, help="what a Record says under c, such as req.c")
    erase.add_argument("--reason", required=True, help="why; stands in the Record")
    erase.set_defaults(run=_erase)
    prune = commands.add_parser("prune", help="erase the payloads that rules/retention.yaml lets go")
    prune.add_argument(
        "--before", type=_time, required=True, metavar="T", help="of Records before 2026-11-22 or 2026-11-22T18:00:00Z"
    )
    prune.add_argument("--reason", default="the retention policy", help="stands in the Record")
    prune.add_argument("--dry-run", action="store_true", help="say what would be erased, and erase nothing")
    prune.set_defaults(run=_prune)
    for parser in (erase, prune):
        parser.add_argument(
            "--rules", type=Path, default=_RULES, metavar="DIR", help=f"folder with {FILE} (default: rules/)"
        )
        add_json(parser)


def _commitment(text: str) -> str:
    match = _COMMITMENT.fullmatch(text)
    if match is None:
        raise argparse.ArgumentTypeError("expected hmac-sha256: and 64 hex digits, as a Record has it")
    return f"hmac-sha256:{match[1]}"


def _time(text: str) -> dt.datetime:
    try:
        return parse_time(text)
    except ValueError:
        raise argparse.ArgumentTypeError("expected 2026-11-22, or 2026-11-22T18:00:00Z with its zone") from None


def _erase(arguments: argparse.Namespace) -> int:
    commitments: list[str] = arguments.commitment
    try:
        policy, source = load_retention(arguments.rules)
        with open_reader(arguments.data) as reader:
            found = erasing.located(reader, commitments)
        # The ledger asks the policy in force itself; this one may have a legal hold that no gateway has loaded yet.
        refuse_held_by(policy, [(one.commitment, one.record) for one in found])
        with open_for_command(arguments.data, SystemClock()) as ledger:
            receipts = _erase_all(ledger, source, commitments, "request", arguments.reason)
    except HoldfastError as error:
        return _refused(error, as_json=arguments.json)
    records = sorted(one.index for one in found)
    return _done(arguments, receipts, {"erased": len(commitments), "of_records": records})


def _prune(arguments: argparse.Namespace) -> int:
    clock = SystemClock()
    try:
        policy, source = load_retention(arguments.rules)
        with open_reader(arguments.data) as reader:
            planned = plan(reader, policy, arguments.before, clock.now_at(), in_force=in_force(reader))
        receipts: list[Receipt] = []
        if planned.commitments and not arguments.dry_run:
            with open_for_command(arguments.data, clock) as ledger:
                receipts = _erase_all(
                    ledger, source, planned.commitments, "retention", arguments.reason, utc_text(arguments.before)
                )
    except HoldfastError as error:
        return _refused(error, as_json=arguments.json)
    return _done(arguments, receipts, _facts(planned, policy, arguments.before, is_dry=arguments.dry_run))


def _erase_all(
    ledger: Writable, source: Source, commitments: list[str], basis: Any, reason: str, before: str | None = None
) -> list[Receipt]:
    # The Records name the policy by its digest; the file is kept before they do.
    ledger.put_object_blocking(_MEDIA, source.data)
    receipts: list[Receipt] = []
    for start in range(0, len(commitments), erasing.COMMITMENTS_MAX):
        receipts += ledger.erase_blocking(
            commitments[start : start + erasing.COMMITMENTS_MAX],
            basis=basis,
            reason=reason,
            operator=operator(),
            before=before,
            retention=digest_hex(source),
        )
    return receipts


def _refused(error: HoldfastError, *, as_json: bool) -> int:
    if as_json:
        out(json.dumps({"done": False, "error": str(error)}))
    say(f"ledger: {error}")
    return EXIT_UNVERIFIABLE


def _facts(planned: Plan, policy: Retention, before: dt.datetime, *, is_dry: bool) -> dict[str, Any]:
    return {
        "dry_run": is_dry,
        "before": utc_text(before),
        "keep_days": policy.keep_days,
        "erased": len(planned.commitments),
        "kept_young": planned.young,
        "kept_held": dict(planned.held),
        "kept_kinds": planned.other,
        "erased_before": planned.erased,
    }


def _done(arguments: argparse.Namespace, receipts: list[Receipt], facts: dict[str, Any]) -> int:
    # The Records stand and the rows are empty; what is left is in the write-ahead log, until its reader lets go.
    is_waiting = (arguments.data / pending.FILE).exists()
    if arguments.json:
        recorded = [receipt.index for receipt in receipts]
        out(json.dumps({"done": not is_waiting, **facts, "recorded_in": recorded}))
    else:
        for line in _lines(arguments, receipts, facts):
            out(line)
    if is_waiting:
        say(f"ledger: a reader of payload.db holds on to its log; {pending.FILE} stays until the writer could cut it")
        return EXIT_UNVERIFIABLE
    return EXIT_OK


def _lines(arguments: argparse.Namespace, receipts: list[Receipt], facts: dict[str, Any]) -> Iterator[str]:
    verb = "would be erased" if facts.get("dry_run") else "erased"
    yield f"{facts['erased']} payloads {verb}"
    if "before" in facts:
        yield f"  of Records before {facts['before']}; kept:"
        yield f"  {facts['kept_young']} that are not old enough (keep_days: {facts['keep_days']}, or a rule's)"
        for hold_id, count in facts["kept_held"].items():
            yield f"  {count} under the legal hold {hold_id}"
        yield f"  {facts['kept_kinds']} of kinds that the policy keeps"
    if receipts:
        indices = ", ".join(str(receipt.index) for receipt in receipts[:3])
        yield f"recorded in {indices}{' and more' if len(receipts) > 3 else ''}; every checkpoint stays valid"  # noqa: PLR2004
        yield f"check it: scripts/ledger.py --data {arguments.data} verify"
        yield _ELSEWHERE
    elif facts.get("dry_run") and facts["erased"]:
        yield "erase them: the same command without --dry-run"
