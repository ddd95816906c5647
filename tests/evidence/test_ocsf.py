"""OCSF: every Record is a valid event, and nothing of it is lost."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from tests.evidence.ocsf_schema import SCHEMA, faults, table_of
from tests.evidence.samples_of_records import MESSAGE, entry_of, full_body
from tests.evidence.world import a_day

from holdfast.evidence.files.entry import Entry, parse_entry
from holdfast.evidence.siem import ocsf, ocsf_members, ocsf_terms
from holdfast.jsontext import JsonObject
from holdfast.ledger import record
from holdfast.ledger.reader import open_reader
from holdfast.ledger.tree import leaf_hash

PAGE = (Path(__file__).parents[2] / "docs" / "siem.md").read_text("utf-8")


@pytest.fixture(scope="module")
def entries(tmp_path_factory: pytest.TempPathFactory) -> list[Entry]:
    world = a_day(tmp_path_factory.mktemp("ocsf") / "data")
    world.ledger.close()
    with open_reader(world.folder) as reader:
        return [parse_entry(index, data) for index, data in reader.records()]


def event_of(typ: str, body: JsonObject) -> dict[str, Any]:
    return dict(ocsf.event(entry_of(typ, body)))


def at(event: object, path: str) -> object:
    """What stands at a dotted path; of a list the first element."""
    for name in path.split("."):
        event = event[0] if isinstance(event, list) else event
        event = event.get(name) if isinstance(event, dict) else None
    return event


def test_every_record_of_a_day_is_a_valid_event(entries: list[Entry]) -> None:
    assert {entry.typ for entry in entries} >= {"call", "reply", "refused", "hold.opened", "approval", "call.lost"}
    assert {entry.index: faults(dict(ocsf.event(entry))) for entry in entries if faults(dict(ocsf.event(entry)))} == {}


@pytest.mark.parametrize("typ", record.KINDS)
def test_a_record_with_every_member_is_a_valid_event(typ: str) -> None:
    assert faults(event_of(typ, full_body(typ))) == []


@pytest.mark.parametrize("typ", record.KINDS)
def test_a_record_with_the_members_it_must_have_is_a_valid_event(typ: str) -> None:
    body = {name: value for name, value in full_body(typ).items() if name in record.KINDS[typ].required}
    assert faults(event_of(typ, body)) == []


@pytest.mark.parametrize(
    "path", ["class_uid", "time", "metadata.version", "metadata.product", "api.operation", "actor"]
)
def test_the_validator_finds_what_is_missing(path: str) -> None:
    event = copy.deepcopy(event_of("call", MESSAGE))
    *way, last = path.split(".")
    place = at(event, ".".join(way)) if way else event
    assert isinstance(place, dict)
    del place[last]
    assert faults(event)


@pytest.mark.parametrize(
    "change",
    [
        {"severity_id": 7}, {"severity": "High"}, {"activity_id": 2}, {"src_endpoint": {"ip": "unix:uid=1000"}},
        {"src_endpoint": {"port": 1}}, {"time": "now"}, {"app": {"name": "x"}}, {"device": {}}, {"duration": True},
    ],
)  # fmt: skip
def test_the_validator_finds_what_is_wrong(change: dict[str, object]) -> None:
    assert faults(event_of("call", MESSAGE) | change)


@pytest.mark.parametrize("typ", record.KINDS)
def test_nothing_a_record_says_is_lost(typ: str) -> None:
    entry = entry_of(typ, full_body(typ))
    event = ocsf.event(entry)
    missing = set(leaves(entry.body)) - set(leaves(event))
    # One time comes as milliseconds, the outcome of a reply as its status, and the salt does not come.
    times = {str(at(entry.body, path)) for path in ("who.exp",) if typ not in ocsf_terms.GATEWAY_TYPS}
    kept_in_words = {"True"} if typ == "reply" else set()
    assert missing - times - {str(entry.body["salt"])} - kept_in_words == set()


def leaves(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in leaves(item)]
    if isinstance(value, list):
        return [text for item in value for text in leaves(item)]
    return [str(value)]


@pytest.mark.parametrize(("member", "place"), ocsf_members.API_MAPPING)
def test_a_member_stands_where_the_mapping_says(member: str, place: str) -> None:
    typ = {"approver": "approval", "decision": "approval", "tool": "tool.defined", "out": "reply", "res": "reply"}.get(
        member.partition(".")[0], "refused"
    )
    body = {key: value for key, value in full_body(typ).items() if key not in {"dec", "res"} or member[:3] in key}
    if member == "src.ip":
        body["src"] = {"ip": "192.0.2.1"}
    if member == "out.code":
        body["out"] = {"ok": False, "code": -32000}
    entry = entry_of(typ, body)
    event = ocsf.event(entry)
    value, found = at(entry.body, member), at(event, place)
    value = value[0] if isinstance(value, list) else value
    assert found is not None
    match member:
        case "out.ok":
            assert found == 1
        case "who.exp":
            assert isinstance(found, int)
            assert found > entry.at.timestamp() * 1000
        case "v":
            assert found == "1"
        case _:
            assert str(found) == str(value)
    assert at(event["unmapped"], member) is None


@pytest.mark.parametrize(("member", "place"), ocsf_members.LIFECYCLE_MAPPING)
def test_a_member_of_the_gateways_own_records_stands_where_the_mapping_says(member: str, place: str) -> None:
    typs = (typ for typ in ocsf_terms.GATEWAY_TYPS if at(entry_of(typ, full_body(typ)).body, member) is not None)
    entry = entry_of(typ := next(typs), full_body(typ))
    assert str(at(ocsf.event(entry), place)) == str(at(entry.body, member))


def test_the_same_record_gives_the_same_line_and_one_only(entries: list[Entry]) -> None:
    lines = list(ocsf.lines(entries))
    assert lines == list(ocsf.lines(entries))
    assert len(lines) == len(entries)
    assert all(line.count(b"\n") == 1 and line.endswith(b"}\n") for line in lines)
    assert [json.loads(line)["metadata"]["sequence"] for line in lines] == [entry.index for entry in entries]


def test_an_event_names_the_leaf_and_the_digest_of_its_record() -> None:
    entry = entry_of("call", MESSAGE)
    event = event_of("call", MESSAGE)
    assert at(event, "unmapped.record_integrity.leaf_hash") == leaf_hash(entry.data).hex()
    assert at(event, "unmapped.record_integrity.chain_uid") == "gw.example.com/ledger/n1"
    assert event["raw_data_size"] == len(entry.data)


def test_the_salt_of_a_record_does_not_travel(entries: list[Entry]) -> None:
    assert not any(str(entry.body["salt"]) in line.decode() for entry, line in zip(entries, ocsf.lines(entries)))  # noqa: B905 -- lengths are compared above


def test_whoever_was_not_established_is_unknown_and_not_made_up() -> None:
    event = event_of("refused", {"cause": "unauthenticated", "reason": "no token", "src": {"ip": "203.0.113.9"}})
    assert event["class_uid"] == 6003
    assert event["actor"] == {"user": {"name": "unknown", "type": "Unknown", "type_id": 0}}


def test_what_the_gateway_did_of_itself_names_the_gateway() -> None:
    event = event_of("hold.closed", {"appr": {"id": "H-1"}, "outcome": "expired"})
    assert event["actor"]["app_name"] == "Holdfast"
    assert event["src_endpoint"] == {"name": "gw.example.com/ledger/n1"}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("crm:3000", {"hostname": "crm", "port": 3000}),
        ("crm.internal", {"hostname": "crm.internal"}),
        ("10.0.0.7:443", {"ip": "10.0.0.7", "port": 443}),
        ("[2001:db8::1]:443", {"ip": "2001:db8::1", "port": 443}),
        ("crm:99999", {"hostname": "crm:99999"}),
        ("", {}),
    ],
)
def test_a_server_is_named_by_host_or_address_and_port(host: str, expected: dict[str, object]) -> None:
    event = event_of("call", MESSAGE | {"dst": {"server": "crm", "host": host}})
    assert event["dst_endpoint"] == {"svc_name": "crm"} | expected
    assert faults(event) == []


@pytest.mark.parametrize("port", [70000, 2**53 - 1])
def test_a_port_that_is_none_is_left_out(port: int) -> None:
    event = event_of("call", MESSAGE | {"src": {"ip": "192.0.2.1", "port": port}})
    assert event["src_endpoint"] == {"ip": "192.0.2.1"}


@pytest.mark.parametrize("ip", ["192.0.2.1", "2001:db8::1", "::1", "::ffff:192.0.2.1", "fe80::1%eth0"])
def test_an_address_is_an_address_of_ocsf(ip: str) -> None:
    event = event_of("call", MESSAGE | {"src": {"ip": ip}})
    assert event["src_endpoint"] == {"ip": ip}
    assert faults(event) == []


@pytest.mark.parametrize("ip", ["unix:uid=1000", "192.0.2.1:80", "fe80::1%" + "z" * 60, "x" * 2048])
def test_a_source_that_is_no_address_is_named(ip: str) -> None:
    assert event_of("call", MESSAGE | {"src": {"ip": ip}})["src_endpoint"] == {"name": ip}


def test_a_time_that_is_none_does_not_stop_the_export() -> None:
    who: JsonObject = {"iss": "https://idp.example.com", "sub": "ann", "exp": "2026-99-99T99:99:99.000000Z"}
    assert "expiration_time" not in event_of("call", MESSAGE | {"who": who})["actor"]["session"]


def test_the_schema_is_the_one_that_the_events_name() -> None:
    assert SCHEMA["version"] == ocsf.VERSION
    assert f"OCSF {ocsf.VERSION}" in PAGE
    assert SCHEMA["commit"] in (Path(__file__).parents[1] / "vectors" / "SOURCES.md").read_text("utf-8")


def test_the_page_maps_the_members_as_the_code_does() -> None:
    assert table_of(PAGE, "API Activity") == list(ocsf_members.API_MAPPING)
    assert table_of(PAGE, "Application Lifecycle") == list(ocsf_members.LIFECYCLE_MAPPING)
