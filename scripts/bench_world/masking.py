"""What finding costs: Presidio's own engine and the gateway's way to the same findings, over the same texts, in turns.

The texts are those of MCP messages: lists of tools, calls, prose, rows as structured content, and JSON inside strings.
A share of the messages carries dense personal data. No text comes twice, so no cache helps. Both ways ask the same
recognizers with the same thresholds: every one that Presidio switches on by default, with eight telephone regions; and
the same with the patterns of `rules/masking.yaml`.
"""

import dataclasses
import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from scripts.bench_world.traffic import SEED, prose

from holdfast.jsontext import Json
from holdfast.masking import quiet
from holdfast.masking.automata import Automata
from holdfast.masking.budget import Budget
from holdfast.masking.entries import MaskingRules
from holdfast.masking.finder import DirectFinder, Finder, FullFinder
from holdfast.masking.language import CutterNlpEngine
from holdfast.masking.recognizers import build_recognizers
from holdfast.masking.rules import parse_masking
from holdfast.masking.words import Cutter
from holdfast.policy.beside import Beside
from holdfast.policy.document import Source, parse_document

SHARES: Final = (0, 5, 30, 100)  # percent of the messages that carry dense personal data
REGIONS: Final = "[US, GB, DE, FR, ES, IT, IN, CA]"
# What presidio_analyzer's RecognizerRegistry loads for English; a test compares the two.
_DEFAULTS: Final = (
    *("CREDIT_CARD", "CRYPTO", "DATE_TIME", "EMAIL_ADDRESS", "IBAN_CODE", "IP_ADDRESS", "MAC_ADDRESS"),
    *("MEDICAL_LICENSE", "PHONE_NUMBER", "UK_NHS", "URL", "US_BANK_NUMBER", "US_DRIVER_LICENSE", "US_ITIN"),
    *("US_PASSPORT", "US_SSN", "UUID"),
)
_OFF: Final = ("URL", "DATE_TIME", "UUID")  # by default on in Presidio and off in the shipped rules

type Seconds = float


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """What one share of messages with personal data came to. Times are processor time per message, milliseconds."""

    percent: int
    messages_count: int
    bytes_count: int
    vanilla_ms: float
    gateway_ms: float
    findings_count: int
    differing_count: int

    @property
    def ratio(self) -> float:
        """How many times faster the gateway's way is."""
        return self.vanilla_ms / self.gateway_ms

    @property
    def gateway_mb_per_s(self) -> float:
        """Megabytes of messages a second on one core."""
        return self.bytes_count / self.messages_count / self.gateway_ms / 1000

    def to_json(self) -> dict[str, float | int]:
        """All figures."""
        return {
            **dataclasses.asdict(self),
            "ratio": round(self.ratio, 2),
            "gateway_mb_per_s": round(self.gateway_mb_per_s, 3),
        }


def table(figures: list[Figures]) -> str:
    """The figures for people."""
    head = (
        f"{'dense data':>10}{'Presidio ms':>13}{'gateway ms':>12}{'ratio':>8}{'MB/s':>8}{'findings':>10}{'differ':>8}"
    )
    rows = [
        f"{one.percent:>8} %{one.vanilla_ms:>13.2f}{one.gateway_ms:>12.2f}{one.ratio:>7.1f}x"
        f"{one.gateway_mb_per_s:>8.2f}{one.findings_count:>10}{one.differing_count:>8}"
        for one in figures
    ]
    return "\n".join([head, *rows])


def measure(
    rules: MaskingRules, messages_count: int, tell: Callable[[str], None], automata: Automata | None = None
) -> list[Figures]:
    """Run both ways over ``messages_count`` messages for each of :data:`SHARES`; ``automata`` saves compiling anew."""
    cutter = Cutter(rule.entity for rule in rules.entities)
    recognizers = build_recognizers(rules)
    ways: tuple[Finder, Finder] = (
        FullFinder(recognizers, CutterNlpEngine(cutter)),
        DirectFinder(recognizers, cutter, automata=automata),
    )
    quiet.quieten()
    for way in ways:
        way.find("warm 4111 1111 1111 1111 bob@example.com +1 212 555 2368", (), Budget())
    figures = []
    for percent in SHARES:
        tell(f"{percent} % of {messages_count} messages with dense personal data ...")
        figures.append(_measure_share(ways, percent, messages_count))
    return figures


def all_on(path: Path) -> MaskingRules:
    """The rules at ``path`` with every recognizer that Presidio switches on, and eight telephone regions."""
    text = path.read_text("utf-8")
    lines = ["phone_regions: " + REGIONS if line.startswith("phone_regions:") else line for line in text.splitlines()]
    for name in _OFF:
        lines = [f"  - {{entity: {name}}}" if f"entity: {name}, enabled: false" in line else line for line in lines]
    return parse_masking(parse_document(Source(path.name, "\n".join(lines).encode())), Beside(path.parent))


def defaults_only() -> MaskingRules:
    """Presidio's default recognizers as they are, but for those that need a trained model; eight telephone regions."""
    entities = "".join(f"  - {{entity: {name}}}\n" for name in _DEFAULTS)
    text = f"version: 1\nphone_regions: {REGIONS}\nentities:\n{entities}"
    return parse_masking(parse_document(Source("masking.yaml", text.encode())))


def _measure_share(ways: tuple[Finder, Finder], percent: int, messages_count: int) -> Figures:
    dice = random.Random(SEED + percent)  # noqa: S311 -- test data
    spent_s = [0.0, 0.0]
    bytes_count = findings_count = differing_count = 0
    for number in range(messages_count):
        message = make_message(dice, is_dense=dice.randrange(100) < percent)
        bytes_count += len(json.dumps(message, separators=(",", ":")))
        leaves = list(leaves_of(message))
        # In turns, so that whatever else the machine does slows both alike.
        order = (0, 1) if number % 2 else (1, 0)
        found: dict[int, list[frozenset[tuple[str, int, int, float]]]] = {}
        for way in order:
            found[way], seconds = _find(ways[way], leaves)
            spent_s[way] += seconds
        findings_count += sum(map(len, found[0]))
        differing_count += sum(left != right for left, right in zip(found[0], found[1], strict=True))
    vanilla_ms, gateway_ms = (1000 * seconds / messages_count for seconds in spent_s)
    return Figures(percent, messages_count, bytes_count, vanilla_ms, gateway_ms, findings_count, differing_count)


def _find(way: Finder, leaves: list[str]) -> tuple[list[frozenset[tuple[str, int, int, float]]], Seconds]:
    budget = Budget(lambda: 0.0)  # it is the cost that is asked for
    started_s = time.process_time()
    way.expect(leaves, budget)
    results = [way.find(leaf, (), budget) for leaf in leaves]
    seconds = time.process_time() - started_s
    named = [frozenset((r.entity_type, r.start, r.end, round(r.score, 4)) for r in found) for found in results]
    return named, seconds


def leaves_of(value: Json) -> Iterator[str]:
    """Every string of ``value``, also those of JSON inside a string."""
    if isinstance(value, str):
        if value.startswith("{"):
            yield from leaves_of(json.loads(value))
        else:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from leaves_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from leaves_of(item)


def make_message(dice: random.Random, *, is_dense: bool) -> dict[str, Any]:
    """A message of some kind, with or without dense personal data."""
    row = _dense_row if is_dense else _plain_row
    kind = dice.choice(("tools", "call", "prose", "rows", "nested"))
    match kind:
        case "tools":
            tools = [_tool(dice, number) for number in range(6)]
            return {"jsonrpc": "2.0", "id": 1, "result": {"tools": [*tools, {"name": "rows", "examples": [row(dice)]}]}}
        case "call":
            arguments = {"query": prose(dice, 120), "rows": [row(dice)], "limit": "20"}
            return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x", "arguments": arguments}}
        case "prose":
            said = " ".join(row(dice).values()) if is_dense else prose(dice, 80)
            text = f"{prose(dice, 900)} {said}"
            return {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text}]}}
        case "rows":
            return {"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": {"rows": [row(dice) for _ in range(8)]}}}
        case _:
            text = json.dumps({"rows": [row(dice) for _ in range(4)], "note": prose(dice, 200)})
            return {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text}]}}


def _tool(dice: random.Random, number: int) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"query": {"type": "string", "description": prose(dice, 60)}}}
    return {"name": f"tool_{number}", "description": prose(dice, 160), "inputSchema": schema}


def _plain_row(dice: random.Random) -> dict[str, str]:
    number = dice.randrange(10**6)
    return {
        "id": f"ord_{number:06x}",
        "created": f"2026-11-{dice.randrange(1, 29):02d}T10:{dice.randrange(60):02d}:00Z",
        "path": f"/srv/data/{number}/part-{dice.randrange(100)}.json",
        "state": dice.choice(("open", "closed", "waiting")),
        "title": prose(dice, 60),
    }


def _dense_row(dice: random.Random) -> dict[str, str]:
    number = dice.randrange(10**6)
    return {
        "mail": f"agent{number}@example.com",
        "card": f"4111 1111 1111 1111 and 5555-5555-5555-{dice.randrange(10**4):04d}",
        "ssn": f"219-{dice.randrange(10, 99)}-{dice.randrange(1, 9999):04d}",
        "phone": f"+1 (212) 555-{dice.randrange(10**4):04d}, 020 7946 0{dice.randrange(1000):03d}",
        "iban": "DE89 3704 0044 0532 0130 00",
        "address": f"10.{dice.randrange(256)}.{dice.randrange(256)}.{dice.randrange(256)}",
        "note": f"{prose(dice, 40)} passport A{number:08d} born 1980-02-{dice.randrange(1, 29):02d}",
    }
