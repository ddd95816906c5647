"""Erasures for tests: done as a command does, and undone as someone who owns the file would."""

import json
from pathlib import Path
from typing import Any

from tests.ledger.crashing_erase import secrets_of

from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader

NEVER = "hmac-sha256:" + "0" * 64


def erase(ledger: Ledger, *commitments: str, **more: Any) -> list[int]:
    facts: dict[str, Any] = {"basis": "request", "reason": "asked for", "operator": {"uid": 7, "name": "ann"}, **more}
    return [receipt.index for receipt in ledger.erase_blocking(commitments, **facts)]


def records(directory: Path) -> list[dict[str, Any]]:
    with open_reader(directory) as reader:
        return [json.loads(entry) for _, entry in reader.records()]


def payloads_of(directory: Path) -> list[str]:
    """The commitments of all payloads that are there, in the order of the ledger."""
    return list(secrets_of(directory))
