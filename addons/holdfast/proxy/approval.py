"""The approval station: the desk, and commands for approvers who look at flows in mitmweb."""

import asyncio
import logging
from pathlib import Path

from mitmproxy import command, exceptions, types
from mitmproxy.addonmanager import Loader

from holdfast import jsontext
from holdfast.approval.cli_text import outcome, table
from holdfast.approval.client import completed
from holdfast.approval.desk import Desk
from holdfast.approval.keys import Signer, load_key, sign_statement, signer_of
from holdfast.approval.statement import PAYLOAD_TYPE, Choice, Statement, parse_statement
from holdfast.errors import HoldfastError
from holdfast.jsontext import JsonObject
from holdfast.ledger.remote.access import Writable
from holdfast.proxy.gate_addon import KEEP_ALIVE_S
from holdfast.proxy.plant import Plant

log = logging.getLogger(__name__)

SOURCE = "mitmproxy:command"  # what Records say about where a decision came from


class _LedgerSigner:
    """Vouches for approvers who are known by a token with the ledger's key, wherever that lies."""

    def __init__(self, ledger: Writable) -> None:
        self._ledger = ledger

    @property
    def public(self) -> bytes:
        """The ledger's public key."""
        return self._ledger.verifier().public

    def sign(self, message: bytes) -> bytes:
        """Sign a statement in DSSE's encoding."""
        return self._ledger.sign_statement(PAYLOAD_TYPE, message)


class ApprovalStation:
    """Runs the desk. Whoever decides signs with a key of their own, from mitmweb as from `scripts/approve.py`."""

    name = "holdfast-approval"

    def __init__(self) -> None:
        self._plant: Plant | None = None
        self._deciding: set[asyncio.Task[None]] = set()

    def load(self, loader: Loader) -> None:
        """Declare the option; what is held and who may decide is a matter of rules."""
        loader.add_option(
            "holdfast_keep_alive",
            int,
            KEEP_ALIVE_S,
            "Seconds between signs of life for the client of a held call; its answer begins with the first of them.",
        )

    def open(self, plant: Plant) -> None:
        """Build the desk."""
        plant.desk = Desk(
            plant.data,
            plant.ledger,
            lambda: plant.force.rules,
            lambda: plant.force.identifier,
            plant.keys.request,
            plant.clock,
            signer=_LedgerSigner(plant.ledger),
            keep_text=lambda text: plant.force.masker.keep_text(text),  # noqa: PLW0108 -- the masker in force then
        )

    async def start(self, plant: Plant) -> None:
        """Take up the Holds of the last run and open the desk."""
        await plant.desk.start()
        self._plant = plant

    async def stop(self, plant: Plant) -> None:
        """Tell every waiting call that it is pending, and close the desk."""
        if self._plant is not None:
            self._plant = None
            await plant.desk.stop()

    @command.command("holdfast.holds")  # type: ignore[untyped-decorator] # mitmproxy leaves it untyped
    def holds(self) -> str:
        """List the calls that wait for approval."""
        return table(self._desk().decisions.listing())

    @command.command("holdfast.show")  # type: ignore[untyped-decorator] # mitmproxy leaves it untyped
    def show(self, hold: str) -> str:
        """Show what an approver of HOLD agrees to."""
        view = self._look(hold, None).get("view")
        return view if isinstance(view, str) else "it can be decided no more"

    @command.command("holdfast.approve")  # type: ignore[untyped-decorator] # mitmproxy leaves it untyped
    def approve(self, hold: str, key: types.Path, reason: str = "") -> str:
        """Approve HOLD, signed with your private KEY file."""
        return self._decide(hold, "approve", Path(key), reason)

    @command.command("holdfast.deny")  # type: ignore[untyped-decorator] # mitmproxy leaves it untyped
    def deny(self, hold: str, key: types.Path, reason: str = "") -> str:
        """Deny HOLD, signed with your private KEY file."""
        return self._decide(hold, "deny", Path(key), reason)

    def _desk(self) -> Desk:
        if self._plant is None:
            raise exceptions.CommandError("the gateway is not running")
        return self._plant.desk

    def _look(self, hold: str, signer: Signer | None) -> JsonObject:
        try:
            return self._desk().decisions.show(hold, signer.public if signer else None)
        except HoldfastError as error:
            raise exceptions.CommandError(str(error)) from None

    def _decide(self, hold: str, choice: Choice, key: Path, reason: str) -> str:
        try:
            signer = signer_of(load_key(key.expanduser()))
            stated = self._look(hold, signer).get("statement")
            if not isinstance(stated, dict):
                raise exceptions.CommandError("it can be decided no more")
            statement = completed(parse_statement(jsontext.canonical(stated)), choice, reason)
        except HoldfastError as error:
            raise exceptions.CommandError(str(error)) from None
        task = asyncio.ensure_future(self._hand_in(statement, signer))
        self._deciding.add(task)
        task.add_done_callback(self._deciding.discard)
        return f"handed in; the event log says what became of {statement.hold}"

    async def _hand_in(self, statement: Statement, signer: Signer) -> None:
        try:
            envelope = sign_statement(statement, signer)
            after = await self._desk().decisions.decide_signed(statement.hold, envelope, SOURCE)
        except HoldfastError as error:
            log.warning("%s was not decided: %s", statement.hold, error)
        else:
            log.info("%s", outcome(after, statement.decision))
