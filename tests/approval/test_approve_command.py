"""scripts/approve.py as a process of its own, against a desk on a real socket."""

import asyncio
import json
import re
import stat
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from tests.approval.doubles import World, caller_of, key_of, request_of

from holdfast.approval.cli import parser
from holdfast.errors import Cause, Refused
from holdfast.policy.document import Source, parse_document
from holdfast.policy.holding import parse_approval

ROOT = Path(__file__).parents[2]


async def run(*arguments: str | Path, env: dict[str, str] | None = None) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        ROOT / "scripts" / "approve.py",
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=env or {},
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def key_file(folder: Path, name: str) -> Path:
    path = folder / f"{name}.pem"
    path.write_bytes(
        key_of(name).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    path.chmod(0o600)
    return path


@pytest.fixture
def alice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return key_file(tmp_path_factory.mktemp("keys"), "alice")


async def test_an_approver_lists_shows_and_approves(world: World, alice: Path) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()

    code, out, _ = await run("--data", world.directory, "list")
    assert code == 0
    head, row = out.splitlines()
    assert head.split("  ")[0] == "ID"
    assert row.split()[0] == hold_id
    assert "export_customers" in row
    assert "15m00s" in row

    code, out, _ = await run("--data", world.directory, "show", hold_id[:6])
    assert code == 0
    assert out.startswith(f"HOLD {hold_id}\n")

    code, out, err = await run("--data", world.directory, "approve", hold_id, "--key", alice, "--reason", "agreed")
    assert (code, out) == (0, f"{hold_id} approved by alice; it can be used once\n")
    assert f"HOLD {hold_id}" in err
    assert (await call).by == "alice"
    assert world.ledger.bodies("approval")[0]["reason"] == "agreed"

    code, out, _ = await run("--data", world.directory, "list")
    assert (code, out) == (0, "no call waits for approval\n")
    code, out, _ = await run("--data", world.directory, "show", hold_id)
    assert (code, out) == (0, f"{hold_id} is used\n")


async def test_an_approver_denies_with_the_key_named_in_the_environment(world: World, alice: Path) -> None:
    call = world.call()
    (hold_id,) = await world.waiting()
    code, out, _ = await run(
        "deny", hold_id, "--data", world.directory, "--reason", "no", env={"HOLDFAST_APPROVER_KEY": str(alice)}
    )
    assert (code, out) == (0, f"{hold_id} denied by alice\n")
    with pytest.raises(Refused) as caught:
        await call
    assert caught.value.cause is Cause.DENIED_BY_APPROVER


async def test_an_approver_may_come_with_a_token(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    world.tokens.callers["tok"] = caller_of("dana", groups=("security",))
    token = tmp_path_factory.mktemp("token") / "token"
    token.write_text("tok\n")
    call = world.call()
    (hold_id,) = await world.waiting()
    code, out, _ = await run("--data", world.directory, "approve", hold_id, "--token-file", token, "--json")
    assert code == 0
    assert json.loads(out)["hold"]["state"] == "granted"
    await call
    assert world.ledger.bodies("approval")[0]["assurance"] == "token"


async def test_what_the_gateway_refuses_is_exit_code_1(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    keys = tmp_path_factory.mktemp("keys")
    world.call()
    (hold_id,) = await world.waiting()
    code, out, err = await run("--data", world.directory, "approve", hold_id, "--key", key_file(keys, "mallory"))
    assert (code, out) == (1, "")
    assert "rule exports is decided by group security" in err
    code, _, err = await run("--data", world.directory, "approve", hold_id, "--key", key_file(keys, "stranger"))
    assert code == 1
    assert "not enrolled" in err
    code, _, err = await run("--data", world.directory, "show", "H-ZZZ")
    assert code == 1
    assert "no such hold" in err
    assert await world.waiting() == [hold_id]


async def test_no_gateway_is_exit_code_2(tmp_path: Path) -> None:
    code, out, err = await run("--data", tmp_path, "list")
    assert (code, out) == (2, "")
    assert "no gateway answers" in err


async def test_wrong_usage_is_exit_code_3(world: World, alice: Path) -> None:
    assert (await run("--data", world.directory))[0] == 3
    assert (await run("--data", world.directory, "approve"))[0] == 3
    code, _, err = await run("--data", world.directory, "approve", "H-AAAAAAAAAA")
    assert code == 3
    assert "say who you are" in err
    alice.chmod(0o644)
    code, _, err = await run("--data", world.directory, "approve", "H-AAAAAAAAAA", "--key", alice)
    assert code == 3
    assert "chmod 600" in err


async def test_json_output_has_everything_a_program_needs(world: World) -> None:
    world.call()
    (hold_id,) = await world.waiting()
    _, out, _ = await run("--data", world.directory, "list", "--json")
    (hold,) = json.loads(out)["holds"]
    assert hold["id"] == hold_id
    _, out, _ = await run("--data", world.directory, "show", hold_id, "--json")
    shown = json.loads(out)
    assert shown["statement"]["hold"] == hold_id
    assert shown["view"].startswith("HOLD ")


async def test_the_table_obeys_no_control_character_of_a_caller(world: World) -> None:
    world.call(request_of(caller=caller_of("x", name="Eve\x1b[2J\u202e")))
    await world.waiting()
    _, out, _ = await run("--data", world.directory, "list")
    assert "Eve⟨U+001B⟩[2J⟨U+202E⟩" in out


async def test_enrolling_makes_a_key_and_an_entry_that_the_rules_accept(tmp_path: Path) -> None:
    key = tmp_path / "jane.pem"
    arguments = ["enroll", "--name", 'Jane "JD" Döe', "--key", str(key), "--group", "security"]
    code, entry, err = await run(*arguments, "--iss", "https://idp.example", "--sub", "00u1")
    assert code == 0
    assert "made" in err
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    rules = f"version: 1\napprovers:\n{entry}rules: []\n"
    section = parse_document(Source("approval.yaml", rules.encode()))
    (approver,) = parse_approval(section).approvers
    assert (approver.id, approver.name, approver.groups) == ("jane-jd-d-e", 'Jane "JD" Döe', ("security",))
    assert (approver.iss, approver.sub) == ("https://idp.example", "00u1")

    before = key.read_bytes()
    code, again, err = await run(*arguments)
    assert code == 0
    assert "read" in err
    assert key.read_bytes() == before
    assert approver.public_key is not None
    assert approver.public_key in again
    assert "PRIVATE" not in entry + again + err


def test_every_option_and_command_is_documented() -> None:
    documented = (ROOT / "docs" / "approvals.md").read_text("utf-8")
    commands = next(action for action in parser()._actions if action.dest == "command")
    assert isinstance(commands.choices, dict)
    for name, command in commands.choices.items():
        assert f"`{name}" in documented, name
        for option in re.findall(r"--[a-z-]+", command.format_help()):
            assert option in documented or option == "--help", option
