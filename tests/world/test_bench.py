"""The benchmark's arithmetic and traffic."""

import asyncio
import json
import math
import os
import subprocess
import sys
import time

import pytest
from scripts.bench import ROOT, main
from scripts.bench_world import hostile, hostile_texts, loop_lag, masking
from scripts.bench_world.load import content_length
from scripts.bench_world.measure import Round, cpu_seconds, percentile_ms, summarise
from scripts.bench_world.traffic import MESSAGE_BYTES, RAW_CARD, calls, replies, request_bytes, stamped
from tests.live.harness.warm import OTHERS

from holdfast.masking.catalogue import MODEL_ENTITIES
from holdfast.masking.rules import parse_masking
from holdfast.policy.document import Source, parse_document


def test_percentiles_are_nearest_ranks() -> None:
    times = list(range(1000, 101_000, 1000))
    assert percentile_ms(times, 0.50) == 50
    assert percentile_ms(times, 0.99) == 99
    assert percentile_ms([7000], 0.99) == 7
    assert math.isnan(percentile_ms([], 0.5))


def test_rounds_are_taken_together() -> None:
    rounds = [Round((1000, 3000), 0, 0, "", 1.0, 0.010), Round((2000,), 1, 2, "HTTP 503", 0.5, 0.005)]
    figures = summarise(rounds)
    assert figures.requests_per_s == pytest.approx(2)
    assert figures.p50_ms == 2
    assert figures.cpu_ms == pytest.approx(5)
    assert (figures.failed_count, figures.raw_count, figures.first_failure) == (1, 2, "HTTP 503")


def test_every_message_has_one_kilobyte_and_is_json() -> None:
    for message in (*calls(), *replies()):
        assert len(message) == MESSAGE_BYTES
        json.loads(message)


def test_the_mix_is_mostly_fresh_and_partly_personal() -> None:
    pool = calls()
    repeated = sum(b"STAMP" not in message for message in pool) / len(pool)
    personal = sum(RAW_CARD.encode() in message for message in pool) / len(pool)
    assert 0.15 < repeated < 0.25
    assert 0.25 < personal < 0.35


def test_stamped_messages_do_not_repeat() -> None:
    stream = stamped(calls(), 0)
    fresh = [message for message in (next(stream) for _ in range(5000)) if b"case 0" in message]
    assert len(set(fresh)) == len(fresh) > 3000


def test_two_runs_send_the_same() -> None:
    assert calls() == calls()


def test_a_request_carries_the_headers_that_mirror_its_body() -> None:
    head, _, body = request_bytes(1, calls()[0], "t").partition(b"\r\n\r\n")
    assert b"Mcp-Name: search_customers" in head
    assert content_length(head) == len(body)


def test_a_response_without_a_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="no Content-Length"):
        content_length(b"HTTP/1.1 200 OK\r\n\r\n")


def test_a_process_that_worked_has_used_time() -> None:
    before_s = cpu_seconds(os.getpid())
    while cpu_seconds(os.getpid()) < before_s + 0.02:
        sum(range(100_000))
    assert cpu_seconds(None) == 0


def test_help_names_the_options(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["gateway", "--help"])
    shown = capsys.readouterr().out
    assert all(option in shown for option in ("--seconds", "--rounds", "--connections", "--streams", "--json"))


def test_both_ways_of_finding_are_asked_for_the_same_and_answer_the_same() -> None:
    figures = masking.measure(masking.all_on(ROOT / "rules" / "masking.yaml"), 4, lambda _: None, OTHERS)
    assert [one.percent for one in figures] == list(masking.SHARES)
    assert all(one.differing_count == 0 for one in figures)
    assert figures[-1].findings_count > figures[0].findings_count
    assert {"URL", "DATE_TIME"} <= {rule.entity for rule in masking.all_on(ROOT / "rules" / "masking.yaml").entities}


def test_what_is_measured_as_defaults_is_what_presidio_loads() -> None:
    asked = (
        "import presidio_analyzer as p; r = p.RecognizerRegistry(); r.load_predefined_recognizers(languages=['en']); "
        "print(*{e for one in r.recognizers for e in one.supported_entities})"
    )
    # In a process of its own: once masking has been built in one, Presidio's warnings are errors there.
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120)
    loaded = set(said.stdout.split()) - MODEL_ENTITIES
    assert {rule.entity for rule in masking.defaults_only().entities} == loaded


def test_texts_made_to_be_slow_are_measured_one_by_one() -> None:
    text = "version: 1\nentities: [{entity: US_SSN}, {entity: URL}]"
    wanted = {"219-12-3456 ", "1 - ", "members", "\ud800"}
    rules = parse_masking(parse_document(Source("masking.yaml", text.encode())))
    costs = hostile.measure(rules, wanted.__contains__)
    assert {cost.name for cost in costs} == wanted
    assert costs == sorted(costs, key=lambda cost: -cost.seconds)
    assert len(hostile.table(costs, 3).splitlines()) == 4
    assert {cost.name: cost.outcome for cost in costs}["219-12-3456 "] == "1365"


def test_hostile_texts_fill_what_one_text_may_have() -> None:
    values = dict(hostile_texts.values())
    assert values.keys() > set(hostile_texts.REPEATED)
    for name, text in hostile_texts.texts():
        assert len(text) == hostile_texts.TEXT_CHARS, name
    sizes = {name: len(json.dumps(value, ensure_ascii=False)) for name, value in values.items()}
    assert all(hostile_texts.TEXT_CHARS // 2 < size < 8 * hostile_texts.TEXT_CHARS for size in sizes.values()), sizes


@pytest.mark.parametrize("name", loop_lag.HOSTILE)
def test_a_hostile_text_has_the_length_that_its_row_says(name: str) -> None:
    for chars_count in (1000, loop_lag.SIZES[0]):
        text = loop_lag.text_of(name, chars_count)
        assert chars_count - len(loop_lag.HOSTILE[name][0]) < len(text) <= chars_count


async def test_the_longest_turn_of_the_loop_is_seen() -> None:
    probe = loop_lag.Probe()
    watching = asyncio.create_task(probe.watch())
    await asyncio.sleep(0)
    started_s = time.thread_time()
    while time.thread_time() - started_s < 0.05:
        pass
    await asyncio.sleep(0.01)
    watching.cancel()
    assert probe.turn_s >= 0.05
