"""Doubles of what stands around the desk: a ledger in a list, rules in a value, tokens in a table."""

import asyncio
import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from holdfast import jsontext
from holdfast.approval.board import LIMITS, Limits
from holdfast.approval.decisions import Decisions
from holdfast.approval.desk import Desk
from holdfast.approval.digest import request_digest_hex
from holdfast.approval.holds import Grant, HoldRequest
from holdfast.approval.keys import Signer, public_text, sign_statement, signer_of
from holdfast.approval.records import Appends
from holdfast.approval.statement import Statement, parse_statement
from holdfast.call import Call, Direction
from holdfast.clock import SetClock
from holdfast.errors import Cause, LedgerError, Refused
from holdfast.identity.caller import Caller
from holdfast.jsontext import Json, JsonObject
from holdfast.ledger.draft import Draft, Receipt, prepare
from holdfast.policy.approvers import Approver
from holdfast.policy.holding import ApprovalRules, HoldRule

REQUEST_KEY = bytes(range(32))
SOURCE = "unix:uid=1000"
ISSUER = "https://idp.example"
START_AT = dt.datetime(2026, 11, 22, 18, 0, tzinfo=dt.UTC)


class ListLedger:
    """A ledger in memory that judges Drafts as the real one does, and fails when told to."""

    def __init__(self) -> None:
        self.drafts: list[Draft] = []
        self.is_full = False
        self.uses: set[tuple[str, int]] = set()

    async def append(self, *drafts: Draft) -> tuple[Receipt, ...]:
        await asyncio.sleep(0)
        if self.is_full:
            raise LedgerError("the disk is full")
        for draft in drafts:
            prepare(draft)
        first = len(self.drafts)
        self.drafts.extend(drafts)
        return tuple(Receipt(first + number, "id", "00" * 32, START_AT) for number in range(len(drafts)))

    def types(self) -> list[str]:
        return [draft.typ for draft in self.drafts]

    def bodies(self, typ: str) -> list[JsonObject]:
        return [draft.body for draft in self.drafts if draft.typ == typ]

    def outcomes(self) -> list[Json]:
        return [body["outcome"] for body in self.bodies("hold.closed")]


@dataclasses.dataclass(frozen=True)
class SetRules:
    """Rules in force, as far as the desk looks at them."""

    approval: ApprovalRules
    digest_hex: str = "ab" * 32


class TokenTable:
    """Identity that knows the tokens it was told."""

    def __init__(self) -> None:
        self.callers: dict[str, Caller] = {}

    async def identify_token(self, token: str, audience: str | None = None) -> Caller:
        await asyncio.sleep(0)
        if token not in self.callers:
            raise Refused(Cause.UNAUTHENTICATED, "the token does not hold")
        return self.callers[token]


def caller_of(sub: str, *, groups: tuple[str, ...] = (), act: tuple[str, ...] = (), name: str = "") -> Caller:
    return Caller(
        iss=ISSUER,
        sub=sub,
        name=name or sub.title(),
        groups=groups,
        aud="https://gateway.example/mcp",
        client="agent-app",
        auth="jwt",
        token_digest_hex=hashlib.sha256(sub.encode()).hexdigest(),
        expires_at=START_AT + dt.timedelta(hours=1),
        act=act,
    )


def key_of(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def approver_of(name: str, *, groups: tuple[str, ...] = ("security",), sub: str | None = None) -> Approver:
    public = public_text(key_of(name).public_key().public_bytes_raw())
    return Approver(name, name.title(), groups, public, ISSUER if sub else None, sub)


AGENT = caller_of("agent", groups=("agents",))
RULE = HoldRule("exports", "Exports of customer data", approver_groups=("security",), wait_s=30)
APPROVERS = (approver_of("alice"), approver_of("bob"), approver_of("mallory", groups=("interns",)))
RULES = SetRules(ApprovalRules((RULE,), APPROVERS))


def keep_text(text: str) -> str:
    return text.replace("4111111111111111", "<CREDIT_CARD>")


def call_of(arguments: JsonObject | None = None, call_id: int = 1, name: str = "export_customers") -> Call:
    params: JsonObject = {"name": name, "arguments": arguments or {"limit": 10}}
    return Call("tools/call", params, call_id, Direction.TO_SERVER)


def request_of(
    call: Call | None = None, *, caller: Caller = AGENT, rule: HoldRule = RULE, number: int = 1
) -> HoldRequest:
    held = call or call_of()
    return HoldRequest(
        call_id=str(UUID(int=number)),
        call=held,
        digest_hex=request_digest_hex(REQUEST_KEY, "crm", held),
        caller=caller,
        rule=rule,
        server="crm",
        counts={"CREDIT_CARD": 2},
        base={
            "who": {"iss": caller.iss, "sub": caller.sub},
            "dst": {"server": "crm"},
            "mcp": {"transport": "post", "name": held.name},
            "mask": {"engine": "test"},
        },
    )


class World:
    """A desk with everything it needs, and people who use it."""

    def __init__(
        self, directory: Path, *, rules: SetRules = RULES, ledger: Appends | None = None, limits: Limits = LIMITS
    ) -> None:
        self.directory = directory
        self.rules = rules
        self.ledger = ListLedger()
        self.appends: Appends = ledger or self.ledger
        self.clock = SetClock(START_AT)
        self.tokens = TokenTable()
        self.limits = limits
        self.gateway = signer_of(key_of("gateway"))
        self.desk = self.new_desk()
        self.gone = asyncio.Event()
        self.calls: list[asyncio.Task[Grant]] = []

    def new_desk(self) -> Desk:
        return Desk(
            self.directory,
            self.appends,
            lambda: self.rules,
            lambda: self.tokens,
            REQUEST_KEY,
            self.clock,
            signer=self.gateway,
            keep_text=keep_text,
            limits=self.limits,
        )

    @property
    def decisions(self) -> Decisions:
        return self.desk.decisions

    async def restart(self) -> None:
        await self.desk.stop()
        self.desk = self.new_desk()
        await self.desk.start()

    def call(self, request: HoldRequest | None = None, gone: asyncio.Event | None = None) -> asyncio.Task[Grant]:
        call = asyncio.create_task(self.desk.hold(request or request_of(), gone or self.gone))
        self.calls.append(call)
        return call

    async def close(self) -> None:
        await self.desk.stop()
        await asyncio.gather(*self.calls, return_exceptions=True)

    async def waiting(self, count: int = 1) -> list[str]:
        """The ids of the Holds that wait, once there are ``count`` of them."""
        await self.until(lambda: len(self.decisions.listing()) >= count)
        return [str(hold["id"]) for hold in self.decisions.listing()]

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():  # noqa: ASYNC110 -- what is waited for is seen from outside only
                await asyncio.sleep(0.002)  # lets the threads of desk and ledger run

    def statement(self, hold_id: str, approver: str, decision: str = "approve", reason: str = "") -> Statement:
        stated = self.decisions.show(hold_id, key_of(approver).public_key().public_bytes_raw())["statement"]
        assert isinstance(stated, dict)
        return parse_statement(
            jsontext.canonical(stated | {"approver": approver, "decision": decision, "reason": reason})
        )

    async def approve(self, hold_id: str, approver: str = "alice", reason: str = "") -> JsonObject:
        return await self.sign(self.statement(hold_id, approver, "approve", reason), signer_of(key_of(approver)))

    async def deny(self, hold_id: str, approver: str = "alice", reason: str = "too many") -> JsonObject:
        return await self.sign(self.statement(hold_id, approver, "deny", reason), signer_of(key_of(approver)))

    async def sign(self, statement: Statement, signer: Signer, hold_id: str | None = None) -> JsonObject:
        envelope = sign_statement(statement, signer)
        return await self.decisions.decide_signed(hold_id or statement.hold, envelope, SOURCE)

    async def by_token(self, hold_id: str, token: str, reason: str = "") -> JsonObject:
        view = self.statement(hold_id, "alice").view_digest_hex
        return await self.decisions.decide_by_token(
            hold_id, token, "approve", reason, view_digest_hex=view, source=SOURCE
        )


def with_rule(rule: HoldRule, *approvers: Approver) -> SetRules:
    return SetRules(ApprovalRules((rule,), approvers or APPROVERS))
