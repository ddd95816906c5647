"""One gateway before two real MCP servers, one over TLS: each path its server, credential, users and sessions."""

import datetime as dt
import ipaddress
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from scripts.demo_world.agent import Era, agent, text_of
from scripts.demo_world.processes import Child, child_environment, listening_socket
from tests.live.harness.gateway import Gateway
from tests.live.harness.wire import Answer, Wire, request
from tests.live.harness.world import World, call, until

from holdfast.clock import SystemClock

pytestmark = pytest.mark.live

SERVERS = """\
version: 1
servers:
  - id: crm
    upstream: http://127.0.0.1:{crm}
    paths: /crm/mcp
    upstream_path: /mcp
    credential_file: crm.secret
  - id: docs
    upstream: https://127.0.0.1:{docs}
    paths: /docs/mcp
    upstream_path: /mcp
    credential_file: docs.secret
    credential_header: x-api-key
    callers: {{groups: [writers]}}
"""


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key before it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "docs")])
    now = SystemClock().now_at()
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "docs.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path


def start(folder: Path, name: str, *options: str) -> tuple[Child, int]:
    with listening_socket() as listener, (folder / f"{name}.log").open("wb") as log:
        fd = listener.fileno()
        argv = [sys.executable, "-m", "tests.live.harness.sdk_server", "--name", name, "--fd", str(fd), *options]
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, pass_fds=[fd], env=child_environment({})
        )
        return Child(name, process, folder / f"{name}.log"), int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def gateway(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    folder = tmp_path_factory.mktemp("servers")
    shutil.copytree(world.rules, folder / "rules")
    pem = certificate(folder)
    crm, crm_port = start(folder, "crm", "--value", "Bearer for-crm")
    docs, docs_port = start(folder, "docs", "--header", "x-api-key", "--value", "for-docs", "--certificate", str(pem))
    (folder / "rules" / "servers.yaml").write_text(SERVERS.format(crm=crm_port, docs=docs_port))
    for name, secret in (("crm", "for-crm\n"), ("docs", "for-docs\n")):
        path = folder / "rules" / f"{name}.secret"
        path.write_text(secret)
        path.chmod(0o600)
    trusted = ["--set", f"ssl_verify_upstream_trusted_ca={pem}"]
    gateway = Gateway(World(folder, world.key), crm_port, folder / "gateway", options=trusted)
    try:
        yield gateway.ready()
    finally:
        gateway.kill()
        crm.stop()
        docs.stop()


def url(gateway: Gateway, path: str) -> str:
    return f"http://127.0.0.1:{gateway.port}{path}"


def writer(world: World) -> str:
    return world.token("mcp-users", "writers", sub="u-writer")


def ask(wire: Wire, token: str | None, path: str, body: object = None, **more: Any) -> Answer:
    wire.send(request(token, body, target=path, **more))
    return wire.answer()


@pytest.mark.parametrize("era", Era)
async def test_each_path_leads_to_its_server_in_both_eras(gateway: Gateway, world: World, era: Era) -> None:
    for name in ("crm", "docs"):
        async with agent(url(gateway, f"/{name}/mcp"), writer(world), era) as client:
            assert text_of(await client.call_tool("get_name", {})).startswith(f"{name} in process")
    called = [one for one in gateway.records("call") if one["mcp"].get("name") == "get_name"][-2:]
    assert [one["dst"]["server"] for one in called] == ["crm", "docs"]
    assert [one["dst"]["path"] for one in called] == ["/crm/mcp", "/docs/mcp"]
    replied = {one["call"]: one["dst"]["server"] for one in gateway.records("reply")}
    assert [replied[one["call"]] for one in called] == ["crm", "docs"]


async def test_a_caller_may_use_one_server_and_not_the_other(gateway: Gateway, world: World) -> None:
    reader = world.token("mcp-users", sub="u-reader")
    async with agent(url(gateway, "/crm/mcp"), reader, Era.HANDSHAKE) as client:
        assert text_of(await client.call_tool("get_name", {})).startswith("crm")
    with Wire(gateway.port) as wire:
        answer = ask(wire, reader, "/docs/mcp", call("get_name", {}))
    assert answer.status == 200
    assert "this server is not for this caller. Rule: docs" in answer.text()
    refused = gateway.records("refused")[-1]
    assert (refused["who"]["sub"], refused["rule"], refused["dst"]["server"]) == ("u-reader", "docs", "docs")


def opened(wire: Wire, token: str, path: str) -> str:
    params: dict[str, Any] = {"protocolVersion": "2025-11-25", "capabilities": {}}
    params["clientInfo"] = {"name": "t", "version": "1"}
    hello = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}
    return ask(wire, token, path, hello).headers["mcp-session-id"]


def test_a_session_of_one_server_is_refused_at_the_other_on_one_connection(gateway: Gateway, world: World) -> None:
    token = writer(world)
    with Wire(gateway.port) as wire:
        session = opened(wire, token, "/crm/mcp")
        more = [("Mcp-Session-Id", session), ("MCP-Protocol-Version", "2025-11-25")]
        elsewhere = ask(wire, token, "/docs/mcp", call("get_name", {}), headers=more)
        assert elsewhere.status == 404
        assert b"the session is unknown or has ended" in elsewhere.body
        assert opened(wire, token, "/docs/mcp") != session
        assert b"crm in process" in ask(wire, token, "/crm/mcp", call("get_name", {}), headers=more).body
    opens = gateway.records("session.opened")[-2:]
    assert [one["dst"]["server"] for one in opens] == ["crm", "docs"]


def test_neither_server_hears_the_callers_token_or_the_others_credential(gateway: Gateway, world: World) -> None:
    with Wire(gateway.port) as wire:
        session = opened(wire, writer(world), "/crm/mcp")
        more = [("Mcp-Session-Id", session), ("MCP-Protocol-Version", "2025-11-25"), ("X-Api-Key", "for-docs")]
        answer = ask(wire, writer(world), "/crm/mcp", call("get_name", {}), headers=more)
    assert answer.status == 200
    written = b"".join(path.read_bytes() for path in gateway.data.rglob("*") if path.is_file())
    assert b"for-crm" not in written
    assert b"for-docs" not in written
    assert "for-crm" not in gateway.log()


def test_a_server_whose_certificate_nobody_vouches_for_is_told_nothing(
    gateway: Gateway, world: World, tmp_path: Path
) -> None:
    folder = gateway.data.parent.parent
    distrusting = Gateway(World(folder, world.key), 1, tmp_path)
    try:
        with Wire(distrusting.ready().port) as wire:
            answer = ask(wire, writer(world), "/docs/mcp", call("get_name", {}))
        assert answer.status == 502
        assert b"the server cannot be reached" in answer.body
        assert "is not asked" in distrusting.log()  # the address of --mode
        assert [one["typ"] for one in distrusting.records()][-2:] == ["call", "call.lost"]
    finally:
        distrusting.kill()


def test_each_endpoint_is_a_resource_of_its_own(gateway: Gateway) -> None:
    with Wire(gateway.port) as wire:
        for path in ("/crm/mcp", "/docs/mcp"):
            answer = ask(wire, None, f"/.well-known/oauth-protected-resource{path}", method="GET")
            assert answer.json()["resource"].endswith(path)
        assert ask(wire, None, "/.well-known/oauth-protected-resource/mcp", method="GET").status == 404


def test_the_log_says_which_path_leads_where(gateway: Gateway) -> None:
    assert "crm: /crm/mcp -> http://127.0.0.1:" in gateway.log()
    assert "docs: /docs/mcp -> https://127.0.0.1:" in gateway.log()
    assert "guards 2 servers: crm, docs" in gateway.log()


def test_a_reload_takes_in_another_file_and_refuses_a_wrong_one(gateway: Gateway, world: World) -> None:
    rules = gateway.data.parent.parent / "rules" / "servers.yaml"
    before = rules.read_text()
    rules.write_text(before.replace("paths: /crm/mcp", "paths: /docs/mcp"))
    gateway.process.send_signal(signal.SIGHUP)
    until(lambda: "claims /docs/mcp, which is crm's" in gateway.log(), "the wrong file is refused")
    rules.write_text(before.replace("paths: /crm/mcp", "paths: /customers/mcp"))
    gateway.process.send_signal(signal.SIGHUP)
    until(lambda: "crm: /customers/mcp -> " in gateway.log(), "the new file is in force")
    with Wire(gateway.port) as wire:
        assert ask(wire, writer(world), "/crm/mcp", call("get_name", {})).status == 404
        assert opened(wire, writer(world), "/customers/mcp")
    rules.write_text(before)
    gateway.process.send_signal(signal.SIGHUP)
    until(lambda: gateway.log().count("crm: /crm/mcp -> ") == 2, "the old file is in force again")
