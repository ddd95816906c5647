"""Values split over the events of a stream: how much of them gets out, and how long events wait, by hold-back.

Time is simulated: events come with random gaps, and the window of the gateway is asked when they come and when their
time is up, as the proxy does. So the figures are those of the rules, whatever the machine.
"""

import asyncio
import dataclasses
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from scripts.bench_world.measure import percentile_ms

from holdfast import jsontext
from holdfast.call import Direction
from holdfast.jsontext import JsonObject
from holdfast.masking.masker import Masker
from holdfast.policy.ruleset import load_ruleset
from holdfast.sse import Event
from holdfast.window import Window, waiting_of

HOLD_BACKS_MS: Final = (0, 100, 250, 500, 1000, 2000)
CHARS: Final = 64
VALUES: Final = (
    "4111 1111 1111 1111",
    "5555-5555-5555-4444",
    "234-45-6789",
    "DE89370400440532013000",
    "bob.smith@example.com",
    "+1 212 555 2368",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "password: correct-horse7",
)
ORDINARY: Final = (
    "Reading src/app/main.py",
    "step {} of 300",
    "done.",
    "{} %",
    "took {} ms",
    "Fetched https://example.com/items/{}",
    "retrying in {} seconds",
    "wrote {} rows to the table orders",
    "all tests passed",
    "order {} is on its way",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """An event: when it came, in milliseconds, and its text; ``value`` numbers the value that it has a part of."""

    at_ms: float
    text: str
    value: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Gone:
    """An event that went on: what it was, when, and its text as it was kept."""

    sent: Sent
    at_ms: float
    kept: str


def measure(rules: Path, values_count: int, gap_ms: float, tell: Callable[[str], None]) -> dict[str, Any]:
    """The figures, ready for JSON: one row for each hold-back."""
    masker = Masker(load_ruleset(rules).masking, bytes(32))
    rows = []
    for hold_back_ms in HOLD_BACKS_MS:
        tell(f"hold-back of {hold_back_ms} ms")
        sent = list(_traffic(random.Random(values_count), values_count, gap_ms))  # noqa: S311 -- the same in each row
        rows.append(_row(hold_back_ms, list(_through(masker, sent, hold_back_ms))))
    return {"values": values_count, "gap_ms": gap_ms, "rows": rows}


def _traffic(chance: random.Random, values_count: int, gap_ms: float) -> Iterator[Sent]:
    at_ms = 0.0
    for number in range(values_count):
        for text in chance.choices(ORDINARY, k=6):
            at_ms += chance.expovariate(1 / gap_ms)
            yield Sent(at_ms, text.format(chance.randrange(1, 5000)))
        text = f"She wrote: {chance.choice(VALUES)} , and left."
        cuts = sorted(chance.sample(range(12, len(text) - 13), chance.randrange(1, 4)))
        for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True):
            at_ms += chance.expovariate(1 / gap_ms)
            yield Sent(at_ms, text[start:end], number)


def _through(masker: Masker, sent: list[Sent], hold_back_ms: int) -> Iterator[Gone]:
    def is_found(path: str, text: str, start: int) -> bool:
        return masker.is_found(path, text, start, Direction.TO_CLIENT, server="crm")

    window = Window(CHARS, is_found)
    ahead = iter(sent)
    upcoming = iter([*sent, None])
    following = next(upcoming)
    while following is not None or window.count:
        due_ms = None if window.due_ns is None else window.due_ns / 1e6
        if following is None or (due_ms is not None and due_ms < following.at_ms):
            now_ms = due_ms if due_ms is not None else 0.0
        else:
            now_ms = following.at_ms
            window.add(waiting_of(_event(following.text), round((now_ms + hold_back_ms) * 1e6)))
            following = next(upcoming)
        for _ in range(window.ready(round(now_ms * 1e6))):
            one = window.take()
            kept = ""
            for spot in one.all_spots:
                beside = window.beside(spot)
                seam = asyncio.run(masker.seam(spot.path, spot.text, beside, Direction.TO_CLIENT, server="crm"))
                window.remember(spot, seam.next)
                kept = masker.keep_text(seam.kept)
            yield Gone(next(ahead), now_ms, kept)


def _event(text: str) -> Event:
    params: JsonObject = {"level": "info", "data": text}
    message: JsonObject = {"jsonrpc": "2.0", "method": "notifications/message", "params": params}
    return Event(jsontext.wire(message).decode())


def _row(hold_back_ms: int, gone: list[Gone]) -> dict[str, Any]:
    parts: dict[int, list[Gone]] = {}
    for one in gone:
        if one.sent.value is not None:
            parts.setdefault(one.sent.value, []).append(one)
    leaks = [
        _leaked("".join(one.sent.text for one in some), "".join(one.kept for one in some)) for some in parts.values()
    ]
    waits_us = [round(1000 * (one.at_ms - one.sent.at_ms)) for one in gone]
    ordinary_us = [round(1000 * (one.at_ms - one.sent.at_ms)) for one in gone if one.sent.value is None]
    chars = sum(size for size, _ in leaks)
    return {
        "hold_back_ms": hold_back_ms,
        "leaked_chars": round(sum(leaked for _, leaked in leaks) / chars, 4),
        "values_half_out": round(sum(2 * leaked > size for size, leaked in leaks) / len(leaks), 4),
        "values_touched": round(sum(leaked > 0 for _, leaked in leaks) / len(leaks), 4),
        "waited": round(sum(wait > 0 for wait in waits_us) / len(waits_us), 4),
        "delay_ms": {f"p{share}": round(percentile_ms(waits_us, share / 100), 1) for share in (50, 95, 99)},
        "ordinary_delay_ms": {f"p{share}": round(percentile_ms(ordinary_us, share / 100), 1) for share in (50, 95, 99)},
    }


def _leaked(text: str, kept: str) -> tuple[int, int]:
    """How many letters and digits the value in ``text`` has, and how many of its first ones are in ``kept``."""
    value = re.sub(r"\W|^password", "", text.removeprefix("She wrote: ").removesuffix(" , and left."))
    shown = re.sub(r"\W|^password", "", kept.removeprefix("She wrote:").lstrip())
    leaked = 0
    while leaked < len(value) and leaked < len(shown) and value[leaked] == shown[leaked]:
        leaked += 1
    return len(value), leaked


def table(report: dict[str, Any]) -> str:
    """What a person reads."""
    lines = [
        f"{report['values']} values cut at random among ordinary events, {report['gap_ms']:g} ms apart on average",
        "",
        "hold-back, ms  chars out  half out  touched  events that wait  delay p50    p95    p99",
    ]
    for row in report["rows"]:
        delay = row["delay_ms"]
        lines.append(
            f"{row['hold_back_ms']:>13}{row['leaked_chars']:>11.2%}{row['values_half_out']:>10.1%}"
            f"{row['values_touched']:>9.1%}{row['waited']:>18.1%}"
            f"{delay['p50']:>11.1f}{delay['p95']:>7.0f}{delay['p99']:>7.0f}"
        )
    return "\n".join(lines)
