"""The socket as a stranger may use it: any bytes, any verb, many at once."""

import asyncio
import json
import os
import socket
from pathlib import Path

import pytest
from tests.approval.doubles import World, caller_of, key_of, request_of

from holdfast.approval.desk_socket import CONNECTIONS_MAX, LINE_BYTES_MAX
from holdfast.approval.keys import sign_statement, signer_of
from holdfast.errors import SettingsError


async def ask(world: World, line: bytes) -> dict[str, object]:
    reader, writer = await asyncio.open_unix_connection(world.directory / "desk.sock", limit=8 * 1024 * 1024)
    writer.write(line)
    await writer.drain()
    answer = json.loads(await reader.readline())
    writer.close()
    await writer.wait_closed()
    assert isinstance(answer, dict)
    return answer


async def test_list_and_show_tell_what_waits(world: World) -> None:
    world.call()
    (hold_id,) = await world.waiting()
    listed = await ask(world, b'{"verb":"list"}\n')
    assert listed["ok"] is True
    holds = listed["holds"]
    assert isinstance(holds, list)
    assert holds[0]["id"] == hold_id
    assert holds[0]["caller"] == {"iss": "https://idp.example", "sub": "agent", "name": "Agent"}
    shown = await ask(world, json.dumps({"verb": "show", "hold": hold_id}).encode() + b"\n")
    assert str(shown["view"]).startswith(f"HOLD {hold_id}\n")
    assert shown["approver"] is None


async def test_a_beginning_of_an_id_is_enough_while_it_is_one_holds(world: World) -> None:
    world.call()
    (hold_id,) = await world.waiting()
    shown = await ask(world, json.dumps({"verb": "show", "hold": hold_id[:5].lower()}).encode() + b"\n")
    assert shown["ok"] is True
    world.call(request_of(caller=caller_of("b"), number=2))
    await world.waiting(2)
    assert "2 holds begin like that" in str((await ask(world, b'{"verb":"show","hold":"H-"}\n'))["reason"])
    assert (await ask(world, b'{"verb":"show","hold":"H-0"}\n'))["ok"] is False


async def test_a_signed_decision_comes_in_by_the_socket_with_the_users_id(world: World) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()
    envelope = json.loads(sign_statement(world.statement(hold_id, "alice"), signer_of(key_of("alice"))))
    line = json.dumps({"verb": "decide", "hold": hold_id, "envelope": envelope}).encode() + b"\n"
    assert (await ask(world, line))["ok"] is True
    await call
    assert world.ledger.bodies("approval")[0]["src"] == {"ip": f"unix:uid={os.getuid()}"}


@pytest.mark.parametrize(
    "line",
    [
        b"\n",
        b"{}\n",
        b"[]\n",
        b"\xff\xfe\n",
        b'{"verb":"list","verb":"list"}\n',
        b'{"verb":"list","more":1}\n',
        b'{"verb":"stop"}\n',
        b'{"verb":"show"}\n',
        b'{"verb":"show","hold":1}\n',
        b'{"verb":"show","hold":""}\n',
        b'{"verb":"decide","hold":"H-ABCDEFGH23"}\n',
        b'{"verb":"decide","hold":"H-ABCDEFGH23","envelope":{}}\n',
        b'{"verb":"decide","hold":"H-ABCDEFGH23","token":"t","decision":"maybe","reason":"","view":""}\n',
        b'{"verb":"decide","hold":"H-ABCDEFGH23","token":"t","decision":"approve","reason":""}\n',
        b"[" * 100_000 + b"\n",
        b"x" * (LINE_BYTES_MAX * 2) + b"\n",
    ],
    ids=lambda line: repr(line[:40]),
)
async def test_bytes_that_are_no_request_are_refused_and_the_desk_goes_on(world: World, line: bytes) -> None:
    answer = await ask(world, line)
    assert answer["ok"] is False
    assert answer["reason"]
    assert (await ask(world, b'{"verb":"list"}\n'))["ok"] is True


async def test_a_ledger_that_cannot_record_decides_nothing(world: World) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()
    envelope = json.loads(sign_statement(world.statement(hold_id, "alice"), signer_of(key_of("alice"))))
    world.ledger.is_full = True
    line = json.dumps({"verb": "decide", "hold": hold_id, "envelope": envelope}).encode() + b"\n"
    answer = await ask(world, line)
    assert (answer["ok"], answer["code"]) == (False, "unavailable")
    assert not call.done()
    world.ledger.is_full = False


async def test_connections_beyond_the_limit_are_closed(world: World) -> None:
    path = world.directory / "desk.sock"
    open_ones = [await asyncio.open_unix_connection(path) for _ in range(CONNECTIONS_MAX)]
    reader, writer = await asyncio.open_unix_connection(path)
    assert await reader.read() == b""
    for _, one in [*open_ones, (reader, writer)]:
        one.close()
        await one.wait_closed()


async def test_a_second_gateway_does_not_take_the_socket(world: World) -> None:
    other = World(world.directory)
    with pytest.raises(SettingsError, match="another gateway"):
        await other.desk.start()
    await other.close()
    assert (await ask(world, b'{"verb":"list"}\n'))["ok"] is True


async def test_a_socket_left_by_a_gateway_that_died_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "desk.sock"))
    world = World(tmp_path)
    await world.desk.start()
    assert (await ask(world, b'{"verb":"list"}\n'))["holds"] == []
    await world.close()
    assert not (tmp_path / "desk.sock").exists()


async def test_a_folder_whose_path_is_too_long_is_refused_with_the_reason(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    world = World(deep)
    with pytest.raises(SettingsError, match="longer than"):
        await world.desk.start()
    await world.close()
