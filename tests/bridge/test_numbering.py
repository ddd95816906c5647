"""Ids of several clients that share a child: none is taken for another's, and each comes back as it went."""

from hypothesis import given
from hypothesis import strategies as st

from holdfast.bridge.numbering import Renumbered
from holdfast.jsontext import JsonObject

IDS = st.one_of(st.integers(-5, 5), st.text(max_size=3))


def request(call_id: int | str, token: int | str | None = None) -> JsonObject:
    meta: JsonObject = {} if token is None else {"progressToken": token}
    return {"jsonrpc": "2.0", "id": call_id, "method": "tools/call", "params": {"_meta": meta}, "future": [1.5]}


@given(st.lists(IDS, min_size=1, max_size=10), st.randoms())
def test_every_reply_comes_back_with_the_id_of_its_request(ids: list[int | str], random: object) -> None:
    numbering = Renumbered()
    said = [numbering.to_child(request(call_id)) for call_id in ids]
    numbers = [message["id"] for message in said if message is not None]
    assert len({*map(str, numbers)}) == len(ids)
    pairs = list(zip(numbers, ids, strict=True))
    random.shuffle(pairs)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    for number, call_id in pairs:
        reply = numbering.to_client({"jsonrpc": "2.0", "id": number, "result": {"id": number}})
        assert reply == {"jsonrpc": "2.0", "id": call_id, "result": {"id": number}}


def test_progress_and_changes_come_back_under_the_clients_own_names() -> None:
    numbering = Renumbered()
    first, second = (numbering.to_child(request("a", token)) for token in ("t", "t"))
    assert first is not None
    assert second is not None
    assert first["future"] == [1.5]
    progress: JsonObject = {
        "method": "notifications/progress",
        "params": {"progressToken": second["id"], "progress": 1},
    }
    assert numbering.to_client(progress)["params"] == {"progressToken": "t", "progress": 1}
    meta: JsonObject = {"io.modelcontextprotocol/subscriptionId": first["id"]}
    changed: JsonObject = {"method": "notifications/tools/list_changed", "params": {"_meta": meta}}
    assert numbering.to_client(changed)["params"] == {"_meta": {"io.modelcontextprotocol/subscriptionId": "a"}}


def test_a_notification_about_an_id_that_means_nothing_here_is_dropped() -> None:
    numbering = Renumbered()
    assert numbering.to_child({"method": "notifications/cancelled", "params": {"requestId": 1}}) is None
    told: JsonObject = {"method": "notifications/else"}
    assert numbering.to_child(told) == told
