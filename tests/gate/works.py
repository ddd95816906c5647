"""A gate with everything real but the proxy: shipped rules, Presidio, SQLite; and doubles that fail as asked."""

import asyncio
import dataclasses
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.identity.issuing import AUD, RSA_KEY, jwk, sign
from tests.live.harness.modern import standard_headers

from holdfast import jsontext
from holdfast.approval.desk import Desk
from holdfast.approval.keys import signer_of
from holdfast.approval.view import view_digest_hex
from holdfast.capture import Gateway
from holdfast.clock import SetClock
from holdfast.errors import LedgerError, MaskingError
from holdfast.exchange import Answer, Head, Peer, Request, Upstream
from holdfast.gate import Gate
from holdfast.identity.identifier import Identifier
from holdfast.identity.sessions import Sessions
from holdfast.jsontext import JsonObject
from holdfast.keepalive import KeepAlive
from holdfast.ledger.draft import Draft, Receipt
from holdfast.ledger.keys import Keys, open_keys
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.masking.finding import Masked
from holdfast.masking.masker import Masker
from holdfast.passage import Admission, InForce
from holdfast.policy.ruleset import Ruleset
from holdfast.policy.servers import Server, Servers
from holdfast.stations import Stations
from holdfast.trusted import Pins

ROOT = Path(__file__).resolve().parents[2]
ISSUER = "https://idp.example.com"
SERVER_URL = "http://gw.example.com"
JSON = ("content-type", "application/json")
CARD = "4111 1111 1111 1111"
MAIL = "bob@example.com"
CRM = Server("crm", Upstream("crm", 3000, tls=False), {"/mcp": "/mcp"})


def write_rules(folder: Path, **replaced: str) -> Path:
    """The shipped rules with an issuer whose keys are in a file; ``replaced`` gives other files their text."""
    rules = folder / "rules"
    rules.mkdir()
    keys = folder / "jwks.json"
    keys.write_text(json.dumps({"keys": [jwk(RSA_KEY, "k1")]}))
    for name in ("access", "masking", "approval"):
        text = replaced.get(name) or (ROOT / "rules" / f"{name}.yaml").read_text()
        (rules / f"{name}.yaml").write_text(text)
    for name in ("masking", "profiles"):
        if (ROOT / "rules" / name).is_dir():
            shutil.copytree(ROOT / "rules" / name, rules / name)
    identity = (
        f"version: 1\nissuers:\n  - id: corp\n    issuer: {ISSUER}\n    jwks_file: {keys}\n    audiences: [{AUD}]\n"
    )
    (rules / "identity.yaml").write_text(identity)
    return rules


def token(clock: SetClock, sub: str = "ann", groups: tuple[str, ...] = ("mcp-users",), **more: Any) -> str:
    now_s = int(clock.now_at().timestamp())
    claims = {"iss": ISSUER, "sub": sub, "aud": AUD, "iat": now_s, "exp": now_s + 600, "groups": list(groups), **more}
    return sign(RSA_KEY, "RS256", claims, {"kid": "k1"})


class FullDisk:
    """A ledger that takes no Record."""

    async def append(self, *drafts: Draft) -> tuple[Receipt, ...]:
        raise LedgerError("the disk is full")


class FullAfter(FullDisk):
    """A ledger whose disk fills up after ``count`` appends."""

    def __init__(self, ledger: Ledger, count: int) -> None:
        self._ledger, self._left = ledger, count

    async def append(self, *drafts: Draft) -> tuple[Receipt, ...]:
        if self._left == 0:
            raise LedgerError("the disk is full")
        self._left -= 1
        return await self._ledger.append(*drafts)


class BrokenMasker:
    """A masker whose engine has failed."""

    def keep_text(self, text: str) -> str:
        return text

    async def mask(self, message: object, *, server: str, **more: object) -> Masked:
        raise MaskingError("the engine timed out")


class CountedMasker(BrokenMasker):
    """A broken masker that counts how often it is asked."""

    asked_count = 0

    async def mask(self, message: object, *, server: str, **more: object) -> Masked:
        self.asked_count += 1
        return await super().mask(message, server=server, **more)


class LeakyMasker(BrokenMasker):
    """A masker that raises with the text in its message, as a library might."""

    async def mask(self, message: object, *, server: str, **more: object) -> Masked:
        raise ValueError(f"could not digest {message!r}")


@dataclasses.dataclass
class Screen:
    """What a viewer would have seen, in order."""

    gone: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    calls: list[bytes] = dataclasses.field(default_factory=list)
    replies: list[bytes] = dataclasses.field(default_factory=list)
    notes: list[dict[str, str]] = dataclasses.field(default_factory=list)
    signs: list[KeepAlive] = dataclasses.field(default_factory=list)

    def show_call(self, text: bytes, note: dict[str, str]) -> None:
        self.calls.append(text)
        self.notes.append(note)

    def note(self, note: dict[str, str]) -> None:
        self.notes.append(note)

    def keep_alive(self, signs: KeepAlive) -> None:
        self.signs.append(signs)

    def show_reply(self, text: bytes, note: dict[str, str]) -> None:
        self.replies.append(text)
        self.notes.append(note)


class Works:
    """A running gate and what it stands on."""

    def __init__(self, folder: Path, rules: Ruleset, masker: Masker) -> None:
        self.clock = SetClock()
        self.data = folder / "data"
        self.data.mkdir()
        self.keys: Keys = open_keys(self.data, origin="gw.example.com/ledger/test")
        self.ledger = Ledger.open(self.data, self.keys, self.clock, build={"version": "0"})
        engine = masker.describe()
        self.force = InForce(
            rules,
            Identifier(rules.identity, self.clock),
            masker,
            {"engine": engine.name, "version": engine.version, "config": engine.config_hex},
            Servers((CRM,)),
        )
        self.desk = Desk(
            self.data,
            self.ledger,
            lambda: self.force.rules,
            lambda: self.force.identifier,
            self.keys.request,
            self.clock,
            signer=signer_of(self.keys.ledger),
            keep_text=masker.keep_text,
        )
        self.stations = Stations(
            in_force=lambda: self.force,
            sessions=Sessions(),
            desk=self.desk,
            ledger=self.ledger,
            clock=self.clock,
            gateway=Gateway("0", "b", "00" * 32),
            request_key=self.keys.request,
            resource=SERVER_URL,
            origins=frozenset(),
            pins=self.pins(),
            objects=self.kept_object,
        )
        self.gate = Gate(self.stations)
        self.screen = Screen()

    def pins(self) -> Pins:
        """What follows the ledger of these works."""

        def records(start: int, end: int) -> Iterator[tuple[int, bytes]]:
            with open_reader(self.data) as reader:
                yield from reader.records(start, end)

        return Pins(records)

    def kept_object(self, digest_hex: str) -> bytes | None:
        with open_reader(self.data) as reader:
            found = reader.object(digest_hex)
        return found[1] if found else None

    def with_(self, **replaced: Any) -> "Works":
        """The same works with some stations replaced."""
        self.stations = dataclasses.replace(self.stations, **replaced)
        self.gate = Gate(self.stations)
        return self

    def with_masker(self, masker: Any) -> "Works":
        self.force = dataclasses.replace(self.force, masker=masker)
        return self

    def with_servers(self, *servers: Server) -> "Works":
        """The same works before other servers."""
        self.force = dataclasses.replace(self.force, servers=Servers(servers))
        return self

    def post(self, message: object, *headers: tuple[str, str], who: str | None = None, path: str = "/mcp") -> Request:
        credential = ("authorization", f"Bearer {who or token(self.clock)}")
        body = message if isinstance(message, bytes) else jsontext.wire(message)  # type: ignore[arg-type] # any JSON
        headers = (*headers, *standard_headers(message, headers))
        return Request("POST", path, (JSON, credential, *headers), body, Peer("192.0.2.1", 4711))

    async def admit(self, message: object, *headers: tuple[str, str], who: str | None = None) -> Admission | Answer:
        return await self.gate.admit(self.post(message, *headers, who=who), self.screen)

    async def admitted(self, message: object, *headers: tuple[str, str]) -> Admission:
        admission = await self.admit(message, *headers)
        assert isinstance(admission, Admission), admission
        return admission

    async def release(self, admission: Admission, body: object, *headers: tuple[str, str], status: int = 200) -> Answer:
        data = body if isinstance(body, bytes) else jsontext.wire(body)  # type: ignore[arg-type] # any JSON
        return await self.gate.release(admission, Head(status, (JSON, *headers)), data, self.screen)

    def records(self) -> list[JsonObject]:
        """Every Record so far, without its head and tail of starts."""
        with open_reader(self.data) as reader:
            found = [jsontext.parse(entry) for _, entry in reader.records()]
        return [record for record in found if isinstance(record, dict) and record["typ"] != "ledger.genesis"]

    async def until(self, typ: str, count: int = 1) -> None:
        """Wait until as many Records of that typ are durable."""
        async with asyncio.timeout(60):
            while self.types().count(typ) < count:  # noqa: ASYNC110 -- Records are seen by reading, as an auditor does
                await asyncio.sleep(0.01)

    def types(self) -> list[object]:
        return [record["typ"] for record in self.records()]

    async def waiting(self) -> str:
        """The id of the Hold that can be decided: a moment after its Record is durable."""
        async with asyncio.timeout(60):
            while not (listed := self.desk.decisions.listing()):  # noqa: ASYNC110 -- as an approver does
                await asyncio.sleep(0.01)
        (only,) = listed
        return str(only["id"])

    async def approve(self) -> str:
        """Approve the Hold that waits, by the token of somebody who may; its id."""
        decisions = self.desk.decisions
        hold_id = await self.waiting()
        view = decisions.show(hold_id)["view"]
        assert isinstance(view, str)
        await decisions.decide_by_token(
            hold_id,
            token(self.clock, "jane", ("mcp-approvers",)),
            "approve",
            "",
            view_digest_hex=view_digest_hex(view.encode()),
            source="test",
        )
        return hold_id

    def everything_written(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.data.rglob("*")) if path.is_file())


def tool(name: str, call_id: int | str = 1, **arguments: object) -> JsonObject:
    params: JsonObject = {"name": name, "arguments": arguments}  # type: ignore[dict-item] # any JSON
    return {"jsonrpc": "2.0", "id": call_id, "method": "tools/call", "params": params}


def result(text: str, call_id: int | str = 1) -> JsonObject:
    return {"jsonrpc": "2.0", "id": call_id, "result": {"content": [{"type": "text", "text": text}]}}


def said(answer: Admission | Answer) -> str:
    """The text of an answer that the gate gave itself."""
    assert isinstance(answer, Answer), "it was admitted"
    return answer.body.decode()
