import ast
import datetime as dt
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.ledger.ledgers import call_body

from holdfast.errors import LedgerError
from holdfast.jsontext import JsonObject
from holdfast.ledger import fields, record

STAMP = record.Stamp(
    log="gw.example.com/ledger/n1",
    index=41,
    at=dt.datetime(2026, 11, 22, 18, 0, 0, 250000, tzinfo=dt.UTC),
    mono_ns=123,
    boot="0b1e4b3c-6f8e-4d59-9d3a-1f2e3d4c5b6a",
    salt=bytes(range(16)),
    id_random=bytes(range(10)),
)
LEDGER = Path(record.__file__).parent
FORMAT = (LEDGER / "FORMAT.md").read_text("utf-8")
DOCUMENT = (Path(__file__).parents[2] / "docs" / "records.md").read_text("utf-8")
STANDALONE = (
    "tree",
    "tiles",
    "note",
    "ed25519",
    "shape",
    "fields",
    "record",
    "checkpoints",
    "keyring",
    "tlogproof",
    "tiling",
    "handover",
)


def table(text: str, columns: int) -> list[tuple[str, ...]]:
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [tuple(cell.strip() for cell in row) for row in rows if len(row) == columns]


def test_every_member_of_a_record_is_documented_and_every_documented_one_exists() -> None:
    expected = [(f"`{name}`", shape, meaning) for name, shape, meaning in record.documentation()]
    assert table(DOCUMENT, 3) == expected


def test_every_typ_is_documented_with_its_members() -> None:
    expected = [
        (
            f"`{typ}`",
            kind.meaning,
            ", ".join(f"`{name}`" for name in kind.required) or "-",
            ", ".join(f"`{name}`" for name in kind.optional if name not in kind.required) or "-",
        )
        for typ, kind in record.KINDS.items()
    ]
    assert table(DOCUMENT, 4) == expected


def test_the_format_names_every_member_of_the_head_in_order() -> None:
    assert [row[0] for row in table(FORMAT, 2)] == [f"`{field.name}`" for field in fields.HEAD]


def test_the_example_of_the_format_is_a_record_with_the_leaf_it_states() -> None:
    from holdfast.ledger.tree import leaf_hash  # noqa: PLC0415 -- beside its only use

    example = next(line for line in FORMAT.splitlines() if line.startswith("{"))
    assert record.decode(example.encode())["n"] == 41
    assert leaf_hash(example.encode()).hex() in FORMAT


def test_a_record_comes_out_byte_for_byte_the_same_from_the_same_input() -> None:
    record_id, entry = record.encode(STAMP, "call", call_body())
    assert record_id == "01a2046a-39fa-7001-8203-040506070809"
    assert record.encode(STAMP, "call", call_body()) == (record_id, entry)
    assert record.decode(entry) == json.loads(entry)


def test_a_record_has_one_spelling() -> None:
    _, entry = record.encode(STAMP, "call", call_body())
    value = json.loads(entry)
    others = [
        entry + b"\n",
        entry.replace(b"{", b"{ ", 1),
        entry.replace(b'"typ":"call"', b'"typ":"call","typ":"call"'),
        entry.replace(b"alice", b"\\u0061lice"),
        json.dumps(dict(reversed(value.items())), separators=(",", ":")).encode(),
        entry.replace(b'"n":41', b'"n":41.0'),
        entry.replace(b'"n":41', b'"n":4e1'),
        b"\xef\xbb\xbf" + entry,
        b"[" * 10000,
        b"",
        b"{}",
        b"[]",
    ]
    for other in others:
        with pytest.raises(LedgerError):
            record.decode(other)


@pytest.mark.parametrize("name", [field.name for field in fields.HEAD])
def test_a_record_without_a_member_of_its_head_is_refused(name: str) -> None:
    _, entry = record.encode(STAMP, "call", call_body())
    value = {key: item for key, item in json.loads(entry).items() if key != name}
    with pytest.raises(LedgerError, match=f"{name} is missing"):
        record.decode(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


@given(st.binary(max_size=300))
def test_any_bytes_are_a_record_or_an_error(data: bytes) -> None:
    with pytest.raises(LedgerError):
        record.decode(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(sorted(record.KINDS)), st.dictionaries(st.sampled_from([f.name for f in fields.BODY]), JSON))
def test_any_body_is_acceptable_or_an_error_and_what_is_acceptable_reads_back(typ: str, body: JsonObject) -> None:
    try:
        record.check_body(typ, body)
        _, entry = record.encode(STAMP, typ, body)
    except LedgerError:
        return
    assert {key: record.decode(entry)[key] for key in body} == body


def test_no_floating_point_number_is_anywhere_in_the_schema() -> None:
    assert "float" not in json.dumps(record.documentation())
    with pytest.raises(LedgerError):
        record.check_body("ledger.heartbeat", {"counters": {"a": 1.0}})


def test_a_commitment_depends_on_key_content_type_and_data() -> None:
    made = {
        record.commit(key, content_type, data)
        for key in (bytes(32), b"k" * 32)
        for content_type in ("a/b", "a/c")
        for data in (b"", b"x")
    }
    assert len(made) == 8


@pytest.mark.parametrize("name", STANDALONE)
def test_what_a_standalone_verifier_reuses_needs_the_standard_library_alone(name: str) -> None:
    allowed = {"errors", "clock", "jsontext", *(f"ledger.{module}" for module in STANDALONE), "ledger"}
    for node in ast.walk(ast.parse((LEDGER / f"{name}.py").read_text("utf-8"))):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            if node.module in {"holdfast", "holdfast.ledger"}:
                modules = [f"{node.module}.{alias.name}" for alias in node.names]
        for module in modules:
            root, _, rest = module.partition(".")
            assert root in sys.stdlib_module_names or (root == "holdfast" and rest in allowed), module
