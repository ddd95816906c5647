from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ledger.erasures import NEVER
from tests.ledger.ledgers import call_body, fill

from holdfast import jsontext
from holdfast.ledger import record, spelling
from holdfast.ledger.reader import open_reader


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("template")
    fill(directory, 16)
    return directory


def test_a_record_read_fast_is_one_that_decode_accepts_and_says_the_same(template: Path) -> None:
    with open_reader(template) as reader:
        entries = [entry for _, entry in reader.records()]
    fast = [spelling.read(entry) for entry in entries]
    assert sum(one is not None for one in fast) >= 12
    for one, entry in zip(fast, entries, strict=True):
        assert one in (None, spelling.of_decoded(record.decode(entry)))


SAMPLES: list[Any] = [
    ("call", call_body(req={"bytes": 2, "c": NEVER, "ct": "a/b"}, mask={"engine": "p", "counts": {"A": 1, "B": 2}})),
    ("call", call_body(ref=[1, 2], rpc={"dir": "to_server", "kind": "request", "method": "ping", "id": "ü"})),
    ("reply", {"call": call_body()["call"], "ref": [3], "out": {"ok": True, "code": -5}, "res": {"http": 200}}),
    ("ledger.heartbeat", {"counters": {"calls": 3, "seen": 4}}),
    ("ledger.stop", {}),
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SAMPLES), st.data())
def test_no_changed_record_is_read_fast_that_decode_does_not_accept(sample: Any, data: st.DataObject) -> None:
    typ, body = sample
    stamp = {"v": 1, "log": "gw.example.com/n", "n": 41, "typ": typ, "ts": "2026-11-22T18:00:00.250000Z", "mono": 5}
    stamp |= {"boot": "0b1e4b3c-6f8e-4d59-9d3a-1f2e3d4c5b6a", "salt": "AAECAwQFBgcICQoLDA0ODw"}
    stamp |= {"id": "01a2046a-39fa-7001-8203-040506070809"}
    entry = bytearray(jsontext.canonical(stamp | body))
    for _ in range(data.draw(st.integers(0, 3))):
        start = data.draw(st.integers(0, len(entry) - 1))
        end = data.draw(st.integers(start, min(len(entry), start + 4)))
        piece = data.draw(
            st.sampled_from([b"", b"0", b"-", b" ", b",", b"}", b"]", b'"', b"\\", b"\n", b"\xff", b"1e3"])
        )
        entry[start:end] = piece
    found = spelling.read(bytes(entry))
    if found is not None:
        assert found == spelling.of_decoded(record.decode(bytes(entry)))


def test_every_expression_refuses_what_its_typ_does_not_have() -> None:
    assert spelling.read(b'{"typ":"call"}') is None
    assert spelling.read(b'{"typ":"nonsense"}') is None
    assert spelling.read(b"") is None
    assert spelling.read(b'\xff"typ":"call"') is None
