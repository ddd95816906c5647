"""The desk between the real ledger, the shipped rules and real tokens."""

import base64
import dataclasses
import datetime as dt
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from uuid import UUID

import jwt
import pytest
from tests.approval.doubles import SOURCE, World, call_of, caller_of, keep_text, key_of

from holdfast.approval.approvers import Rejected
from holdfast.approval.decisions import IdentifiesTokens
from holdfast.approval.desk import Desk
from holdfast.approval.digest import request_digest_hex
from holdfast.approval.holds import HoldRequest
from holdfast.approval.keys import public_text, signer_of
from holdfast.approval.statement import verify_statement
from holdfast.clock import SystemClock
from holdfast.errors import LedgerError
from holdfast.identity.identifier import Identifier
from holdfast.jsontext import JsonObject
from holdfast.ledger import ed25519
from holdfast.ledger.draft import Draft, Use
from holdfast.ledger.keys import open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.policy.decision import Hold
from holdfast.policy.holding import judge_approval
from holdfast.policy.ruleset import load_ruleset

ROOT = Path(__file__).parents[2]
ISSUER = "https://idp.example"
AUDIENCE = "https://gateway.example/mcp"
IDENTITY = f"""version: 1
issuers:
  - id: corp
    issuer: {ISSUER}
    jwks_file: JWKS
    audiences: [{AUDIENCE}]
    algorithms: [EdDSA]
trusted_proxies: []
"""


def write_rules(folder: Path) -> Path:
    rules = folder / "rules"
    shutil.copytree(ROOT / "rules", rules)
    public = key_of("idp").public_key().public_bytes_raw()
    x = base64.urlsafe_b64encode(public).rstrip(b"=").decode()
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k1", "alg": "EdDSA", "use": "sig"}
    (folder / "jwks.json").write_text(json.dumps({"keys": [jwk]}))
    (rules / "identity.yaml").write_text(IDENTITY.replace("JWKS", str(folder / "jwks.json")))
    alice = public_text(key_of("alice").public_key().public_bytes_raw())
    entry = f"approvers:\n  - {{id: alice, name: Alice, groups: [mcp-approvers], public_key: {alice}}}\n"
    approval = rules / "approval.yaml"
    approval.write_text(approval.read_text("utf-8").replace("approvers: []\n", entry), "utf-8")
    return rules


class RealWorld(World):
    """As World, with the real ledger, rules, keys and identity."""

    def __init__(self, data: Path, rules: Path) -> None:
        self.real_keys = open_keys(data, origin="test.example/ledger")
        self.real_rules = load_ruleset(rules)
        self.real_clock = SystemClock()
        self.real_ledger = Ledger.open(data, self.real_keys, self.real_clock, build={"version": "0"})
        self.identifier: IdentifiesTokens = Identifier(self.real_rules.identity, self.real_clock)
        super().__init__(data, ledger=self.real_ledger)

    def new_desk(self) -> Desk:
        return Desk(
            self.directory,
            self.real_ledger,
            lambda: self.real_rules,
            lambda: self.identifier,
            self.real_keys.request,
            self.real_clock,
            signer=signer_of(self.real_keys.ledger),
            keep_text=keep_text,
        )

    async def close(self) -> None:
        await super().close()
        self.real_ledger.close()

    def request(self, number: int = 1) -> HoldRequest:
        call, caller = call_of(), caller_of("agent", groups=("mcp-users",))
        decision = judge_approval(self.real_rules.approval, call, caller, "crm", (), None)
        assert isinstance(decision, Hold)
        base: JsonObject = {
            "who": {"iss": caller.iss, "sub": caller.sub, "name": caller.name, "auth": "jwt"},
            "src": {"ip": "127.0.0.1", "port": 4},
            "dst": {"server": "crm"},
            "mcp": {"version": "2025-11-25", "transport": "post", "name": call.name},
            "rpc": {"id": 1, "method": call.method, "dir": "to_server", "kind": "request"},
            "mask": {"engine": "test"},
        }
        digest_hex = request_digest_hex(self.real_keys.request, "crm", call)
        return HoldRequest(str(UUID(int=number)), call, digest_hex, caller, decision.rule, "crm", {"US_SSN": 1}, base)

    def records(self) -> list[JsonObject]:
        with open_reader(self.directory) as reader:
            return [json.loads(entry) for _, entry in reader.records()]


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[RealWorld]:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    world = RealWorld(data, write_rules(tmp_path))
    await world.desk.start()
    yield world
    await world.close()


def token_of(subject: str, groups: list[str], **more: object) -> str:
    now = dt.datetime.now(dt.UTC)
    claims: dict[str, object] = {"iss": ISSUER, "sub": subject, "aud": AUDIENCE, "groups": groups, "name": "Dana"}
    times = {"iat": now, "exp": now + dt.timedelta(minutes=5)}
    return jwt.encode(claims | times | more, key_of("idp"), algorithm="EdDSA", headers={"kid": "k1"})


async def test_a_signed_approval_is_in_the_ledger_and_its_use_is_taken_once(real: RealWorld) -> None:
    request = real.request()
    call = real.call(request)
    (hold_id,) = await real.waiting()
    await real.approve(hold_id, reason="agreed")
    grant = await call
    body: JsonObject = {
        "call": request.call_id,
        "rpc": request.base["rpc"],
        "dec": {"effect": "allow", "rule": request.rule.id},
        "appr": {"id": grant.approval_id, "use": grant.use_no, "request": request.digest_hex, "by": grant.by},
        "ref": [grant.record_index],
    }
    draft = Draft("call", body, {}, Use(grant.approval_id, grant.use_no))
    await real.real_ledger.append(draft)
    with pytest.raises(LedgerError):
        await real.real_ledger.append(draft)

    records = real.records()
    assert [record["typ"] for record in records] == [
        "ledger.genesis",
        "hold.opened",
        "approval",
        "hold.closed",
        "call",
    ]
    assert grant.record_index == 2
    statement, view = records[2]["statement"], records[1]["view"]
    assert isinstance(statement, dict)
    assert isinstance(view, dict)
    with open_reader(real.directory) as reader:
        kept, shown = reader.payload(str(statement["c"])), reader.payload(str(view["c"]))
    assert kept is not None
    assert shown is not None
    public = key_of("alice").public_key().public_bytes_raw()
    signed = verify_statement(kept[2], public, ed25519.verify)
    assert signed.request_digest_hex == request.digest_hex
    assert signed.rules_digest_hex == records[1]["rules"]
    assert shown[2].startswith(f"HOLD {hold_id}\n".encode())


async def test_a_real_token_of_the_approvers_group_approves(real: RealWorld) -> None:
    call = real.call(real.request())
    (hold_id,) = await real.waiting()
    await real.by_token(hold_id, token_of("dana", ["mcp-approvers"]), "agreed")
    assert (await call).by == f"{ISSUER}|dana"
    record = real.records()[2]
    assert (record["typ"], record["assurance"]) == ("approval", "token")
    approver = record["approver"]
    assert isinstance(approver, dict)
    assert approver["groups"] == ["mcp-approvers"]


@pytest.mark.parametrize(
    ("made", "reason"),
    [  # made when the test runs: a whole run takes longer than a token lives
        (lambda: token_of("dana", ["mcp-users"]), "not among them"),
        (lambda: token_of("agent", ["mcp-approvers"]), "of their own"),
        (lambda: token_of("dana", ["mcp-approvers"], act={"sub": "helper"}), "delegated"),
        (lambda: token_of("dana", ["mcp-approvers"], aud="https://else.example"), "aud"),
        (lambda: "no.token.atall", "token"),
    ],
    ids=["group", "self", "delegated", "audience", "garbage"],
)
async def test_a_real_token_that_may_not_decide_is_refused_and_recorded(
    real: RealWorld, made: Callable[[], str], reason: str
) -> None:
    token = made()
    real.call(real.request())
    (hold_id,) = await real.waiting()
    with pytest.raises(Rejected, match=reason):
        await real.by_token(hold_id, token)
    record = real.records()[-1]
    assert record["typ"] == "refused"
    assert record["src"] == {"ip": SOURCE}
    assert token not in json.dumps(record)


async def test_every_record_of_a_hold_that_goes_wrong_is_one_the_ledger_takes(real: RealWorld) -> None:
    request = real.request()
    short = dataclasses.replace(request.rule, wait_s=1)
    rules = tuple(short if rule.id == short.id else rule for rule in real.real_rules.approval.rules)
    real.real_rules = dataclasses.replace(
        real.real_rules, approval=dataclasses.replace(real.real_rules.approval, rules=rules)
    )
    denied = real.call(dataclasses.replace(request, rule=short))
    (hold_id,) = await real.waiting()
    await real.deny(hold_id, reason="no")
    with pytest.raises(Exception, match="denied"):
        await denied
    lost = real.call(dataclasses.replace(request, rule=short, digest_hex="00" * 32))
    await real.waiting()
    await real.restart()
    with pytest.raises(Exception, match="pending"):
        await lost
    assert [record["outcome"] for record in real.records() if record["typ"] == "hold.closed"] == [
        "denied",
        "interrupted",
    ]


async def test_a_killed_process_leaves_a_hold_that_passes_nothing_by_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    rules = write_rules(tmp_path)
    code = (
        "import asyncio, os, signal, sys\n"
        "from pathlib import Path\n"
        "from tests.approval.test_with_real_neighbours import RealWorld\n"
        "async def main():\n"
        "    world = RealWorld(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "    await world.desk.start()\n"
        "    world.call(world.request())\n"
        "    await world.waiting()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    paths = f"{ROOT}:{ROOT / 'addons'}"
    run = subprocess.run([sys.executable, "-c", code, str(data), str(rules)], env={"PYTHONPATH": paths}, check=False)
    assert run.returncode == -9
    world = RealWorld(data, rules)
    await world.desk.start()
    assert [record["typ"] for record in world.records()] == ["ledger.genesis", "hold.opened", "hold.closed"]
    (hold_id,) = await world.waiting()
    await world.approve(hold_id)
    assert (await world.call(world.request(2))).approval_id == hold_id
    await world.close()
