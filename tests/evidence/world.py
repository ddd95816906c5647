"""A day at a gateway, told to a real ledger: calls allowed, denied, held, refused, a crash, a lost call."""

import dataclasses
import datetime as dt
import hashlib
import uuid
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast import __version__
from holdfast.approval.dsse import MEDIA_TYPE
from holdfast.approval.keys import Signer, public_text, sign_statement, signer_of
from holdfast.approval.statement import Choice, Statement
from holdfast.clock import SetClock, utc_text
from holdfast.jsontext import Json, JsonObject, canonical, digest_hex
from holdfast.ledger.draft import Draft, Payload, Use
from holdfast.ledger.keys import Keys, open_keys
from holdfast.ledger.ledger import Ledger

ORIGIN = "gw.example.com/ledger/n1"
ISSUER = "https://login.example.com"
DANA = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))

APPROVAL_YAML = f"""\
version: 1
approvers:
  - id: dana
    name: Dana Okafor
    groups: [data-owners]
    public_key: {public_text(DANA.public_key().public_bytes_raw())}
rules:
  - id: exports-need-a-person
    description: Everything that leaves with customer data is seen by a data owner first.
    method: tools/call
    name: export_customers
    approver_groups: [data-owners]
""".encode()
PCI = b"version: 1\ndescription: cards\nentities: [CREDIT_CARD]\n"
FILES = {"access.yaml": b"version: 1\nrules: []\n", "approval.yaml": APPROVAL_YAML, "profiles/pci.yaml": PCI}


@dataclasses.dataclass(frozen=True)
class Person:
    sub: str
    name: str
    client: str
    ip: str

    def who(self) -> JsonObject:
        return {
            "iss": ISSUER, "sub": self.sub, "name": self.name, "aud": "https://mcp.example.com", "client": self.client,
            "groups": ["support"], "auth": "jwt", "token": hashlib.sha256(self.sub.encode()).hexdigest(),
        }  # fmt: skip


MAYA = Person("00u7f3maya", "Maya Lindqvist", "claude-desktop", "10.20.4.17")
BOT = Person("svc-nightly-report", "Nightly report agent", "report-agent", "10.20.9.3")
TOM = Person("00u91tom", "Tomasz Wrona", "cursor", "10.20.4.52")


class World:
    def __init__(self, folder: Path, *, seed: int = 1) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.keys: Keys = open_keys(folder, origin=ORIGIN)
        self.clock = SetClock(dt.datetime(2026, 11, 20, 8, 58, tzinfo=dt.UTC), 1_000_000_000)
        self._counter = seed
        self.ledger = self._open()

    @property
    def vkey(self) -> Path:
        return self.folder / "keys" / "ledger.vkey"

    def _entropy(self, count: int) -> bytes:
        self._counter += 1
        return hashlib.shake_256(str(self._counter).encode()).digest(count)

    def _open(self) -> Ledger:
        return Ledger.open(self.folder, self.keys, self.clock, build={"version": __version__}, entropy=self._entropy)

    def uuid(self) -> str:
        return str(uuid.UUID(bytes=self._entropy(16), version=4))

    def put(self, *drafts: Draft) -> int:
        return self.ledger.append_blocking(*drafts)[0].index

    def start(self, *, clean: bool = True) -> None:
        previous = self.ledger.previous
        options = canonical({"holdfast_rules": "rules", "mode": "reverse"})
        gw: JsonObject = {
            "version": __version__,
            "config": self.ledger.put_object_blocking("application/json", options),
        }
        prev: JsonObject = {"size": previous.size, "root": "0" * 64}
        self.put(Draft("ledger.start", {"gw": gw, "prev": prev, "clean": clean, "rules": self.rules}))

    def stop(self) -> None:
        self.put(Draft("ledger.stop", {"reason": "asked to"}))

    def reopen(self, seconds: float) -> None:
        self.ledger.close()
        self.clock.advance(seconds)
        self.clock.ns = 5_000_000_000
        self.ledger = self._open()

    @property
    def rules(self) -> str:
        return digest_hex({name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()})

    def load_rules(self, **more: Json) -> None:
        files: JsonObject = {
            name: self.ledger.put_object_blocking("application/yaml", data) for name, data in FILES.items()
        }
        self.put(Draft("rules.loaded", {"rules": self.rules, "files": files, **more}))

    def base(self, person: Person, name: str, method: str = "tools/call") -> JsonObject:
        return {
            "call": self.uuid(),
            "rpc": {"id": 7, "method": method, "dir": "to_server", "kind": "request"},
            "who": person.who(),
            "src": {"ip": person.ip, "port": 50123, "ua": "mcp-client/1.4"},
            "dst": {"server": "crm", "host": "crm.internal:8443"},
            "mcp": {"version": "2025-11-25", "transport": "post", "name": name},
            "rules": self.rules,
        }  # fmt: skip

    def call(self, base: JsonObject, arguments: JsonObject, counts: dict[str, int] | None = None, **more: Json) -> int:
        body = base | {
            "dec": {"effect": "allow", "rule": "support-reads", "reason": "allowed by rule support-reads"},
            "mask": {"engine": "presidio", "version": "2.2.366", "counts": dict(counts or {})},
        } | more  # fmt: skip
        appr = body.get("appr")
        use = Use(str(appr["id"]), int(str(appr["use"]))) if isinstance(appr, dict) else None
        return self.put(Draft("call", body, {"req": Payload("application/json", canonical(arguments))}, use))

    def reply(self, base: JsonObject, index: int, *, ok: bool = True, counts: dict[str, int] | None = None) -> int:
        body: JsonObject = {
            "call": base["call"], "ref": [index], "rpc": base["rpc"], "who": base["who"], "dst": base["dst"],
            "out": {"ok": ok, "code": 200 if ok else -32000, "ms": 42},
            "mask": {"engine": "presidio", "version": "2.2.366", "counts": dict(counts or {})},
        }  # fmt: skip
        data = canonical({"content": [{"type": "text", "text": "Card <CREDIT_CARD>, mail <EMAIL_ADDRESS>"}]})
        return self.put(Draft("reply", body, {"res": Payload("application/json", data)}))

    def read(self, person: Person, customer: str = "C-1042") -> int:
        base = self.base(person, "get_customer")
        index = self.call(base, {"id": customer}, {"PERSON": 1})
        self.clock.advance(0.2)
        self.reply(base, index, counts={"CREDIT_CARD": 1, "EMAIL_ADDRESS": 1})
        return index

    def refuse(
        self, cause: str, reason: str, *, person: Person | None = None, name: str = "", rule: str | None = None
    ) -> int:
        body: JsonObject = self.base(person, name) if person else {"src": {"ip": "203.0.113.9", "port": 40001}}
        return self.put(Draft("refused", body | {"cause": cause, "reason": reason, "rule": rule, "bytes": 214}))

    def hold(self, person: Person, number: int) -> "Held":
        base = self.base(person, "export_customers")
        hold_id = "H-" + "ABCDEFGHIJ"[number % 10] * 8 + "22"
        request = hashlib.sha256(f"request {number}".encode()).hexdigest()
        view = (
            f"HOLD {hold_id}\nserver     | crm\nmethod     | tools/call\nname       | export_customers\n"
            f"caller     | {person.name} ({person.sub} at {ISSUER})\nfindings   | none\n\n"
            'params as they would be sent, masked:\n| {\n|   "arguments": {\n|     "format": "csv",\n|     "segment": '
            '"lapsed 90 days"\n|   },\n'
            f'|   "name": "export_customers"\n| }}\nend of {hold_id}: ASCII only\n'
        ).encode()
        expires_at = self.clock.now_at() + dt.timedelta(seconds=900)
        body = base | {
            "appr": {"id": hold_id, "request": request},
            "dec": {"effect": "hold", "rule": "exports-need-a-person", "reason": "customer data leaves"},
            "expires": utc_text(expires_at),
        }
        index = self.put(Draft("hold.opened", body, {"view": Payload("text/plain; charset=utf-8", view)}))
        return Held(self, person, base, hold_id, request, hashlib.sha256(view).hexdigest(), index, expires_at)


@dataclasses.dataclass
class Held:
    world: World
    person: Person
    base: JsonObject
    hold_id: str
    request: str
    view: str
    index: int
    expires_at: dt.datetime

    def statement(self, decision: Choice, reason: str, token: str | None = None) -> Statement:
        return Statement(
            hold=self.hold_id, decision=decision, request_digest_hex=self.request, view_digest_hex=self.view,
            requester=(ISSUER, self.person.sub), rule="exports-need-a-person", rules_digest_hex=self.world.rules,
            approver="dana", reason=reason, not_before_at=self.world.clock.now_at(),
            expires_at=self.expires_at + dt.timedelta(seconds=300), nonce="0f" * 16, token_digest_hex=token,
        )  # fmt: skip

    def decide(self, decision: Choice, reason: str, *, signer: Signer | None = None, **changes: object) -> int:
        statement = dataclasses.replace(self.statement(decision, reason), **changes)  # type: ignore[arg-type] # tests change any field
        envelope = sign_statement(statement, signer or signer_of(DANA))
        body: JsonObject = {
            "call": self.base["call"], "ref": [self.index],
            "appr": {"id": self.hold_id, "request": self.request, "by": "dana"},
            "decision": decision, "reason": reason, "assurance": "signature", "rules": self.world.rules,
            "approver": {"id": "dana", "name": "Dana Okafor", "groups": ["data-owners"]},
            "src": {"ip": "unix:uid=1000"},
        }  # fmt: skip
        return self.world.put(Draft("approval", body, {"statement": Payload(MEDIA_TYPE, envelope)}))

    def go(self, *, use: int = 1) -> int:
        appr: JsonObject = {"id": self.hold_id, "request": self.request, "use": use, "by": "dana"}
        index = self.world.call(self.base, {"segment": "lapsed 90 days"}, appr=appr)
        self.world.clock.advance(1.4)
        self.world.reply(self.base, index)
        return index

    def close(self, outcome: str, reason: str = "") -> int:
        appr: JsonObject = {"id": self.hold_id, "request": self.request}
        body: JsonObject = {
            "call": self.base["call"],
            "ref": [self.index],
            "appr": appr,
            "outcome": outcome,
            "reason": reason,
        }
        return self.world.put(Draft("hold.closed", body))


def beat(world: World, seconds: float) -> None:
    """Let time pass with a heartbeat every minute."""
    while seconds > 0:
        world.clock.advance(min(60.0, seconds))
        seconds -= 60
        world.put(Draft("ledger.heartbeat", {"counters": {"seen": 1}}))


def a_day(folder: Path, *, rounds: int = 3) -> World:
    """Everything that can happen, ``rounds`` times a morning, then holds, a crash and a lost call."""
    world = World(folder)
    world.start()
    world.load_rules()
    for number in range(rounds):
        world.read(MAYA)
        world.clock.advance(4)
        world.read(TOM, "C-2001")
        if number % 2:
            world.refuse("denied_by_rule", "no rule allows it", person=TOM, name="delete_customer")
        if number % 3 == 1:
            world.refuse("unauthenticated", "the token's audience is another")
        world.ledger.publish_blocking()
        beat(world, 47 + 60 * (number % 3))
    _holds(world)
    world.stop()
    world.reopen(1800)
    world.start()
    world.load_rules()
    _crash(world)
    world.ledger.publish_blocking()
    return world


def _holds(world: World) -> None:
    held = world.hold(BOT, 0)
    world.clock.advance(31)
    held.decide("approve", "Quarterly export, ticket DPO-118")
    world.clock.advance(1)
    held.go()
    held.close("used")
    beat(world, 130)
    held = world.hold(TOM, 1)
    world.clock.advance(58)
    held.decide("deny", "No business need for the full segment")
    held.close("denied", "No business need for the full segment")
    world.refuse("denied_by_approver", "an approver said no", person=TOM, name="export_customers")
    held = world.hold(BOT, 2)
    world.clock.advance(45)
    held.close("pending", "the caller stopped waiting")
    world.refuse("hold_pending", "nobody has decided yet", person=BOT, name="export_customers")
    beat(world, 860)
    held.close("expired", "nobody decided in time")
    world.ledger.publish_blocking()


def _crash(world: World) -> None:
    base = world.base(MAYA, "get_customer")
    failing = world.base(MAYA, "get_customer")
    index = world.call(failing, {"id": "C-1"})
    world.reply(failing, index, ok=False)
    lost = world.call(base, {"id": "C-9"})
    world.reopen(240)
    world.start(clean=False)
    world.put(
        Draft("call.lost", {"call": base["call"], "ref": [lost], "reason": "the gateway stopped before the reply"})
    )
    world.load_rules()
    world.read(MAYA)
    world.refuse("server_fault", "the server sent what is no JSON-RPC", person=MAYA, name="get_customer")
    world.read(BOT)
