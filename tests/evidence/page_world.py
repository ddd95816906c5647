"""Material for pages, from a real ledger: no package is built around it."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.evidence.world import BOT, MAYA, TOM, Person, World, beat

from holdfast.evidence.files.entry import Entry, parse_entry, payload_refs
from holdfast.evidence.files.payloads import Opened
from holdfast.evidence.files.scope import Mark, Scope
from holdfast.evidence.story.notebook import Notebook
from holdfast.evidence.story.story import Story
from holdfast.evidence.story.teller import Teller
from holdfast.evidence.tables.material import Material, Outside, Stamped
from holdfast.ledger import note
from holdfast.ledger.reader import Reader, open_reader

PEOPLE = (
    MAYA,
    TOM,
    BOT,
    Person("00u5aisha", "Aisha Bello", "claude-desktop", "10.20.4.61"),
    Person("00u77jonas", "Jonas Keller", "cursor", "10.20.4.78"),
    Person("svc-ticket-triage", "Ticket triage agent", "triage-agent", "10.20.9.8"),
)
TOOLS = (("get_customer", "crm"), ("search_customers", "crm"), ("list_invoices", "billing"), ("read_page", "wiki"))
KINDS = ("PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "US_SSN")


def a_working_day(folder: Path, *, minutes: int = 500, seed: int = 7) -> World:
    """A gateway from early morning on: people and agents read, two exports wait for approval, a crash after lunch."""
    world = World(folder)
    dice = random.Random(seed)
    world.start()
    world.load_rules()
    for minute in range(minutes):
        busy = 3 if 30 < minute < 200 or 260 < minute < 440 else 1
        for _ in range(dice.randrange(busy)):
            _something(world, dice)
        if minute in {minutes // 4, minutes // 2}:
            _export(world, number=int(minute == minutes // 2))
        if minute == minutes * 2 // 3:
            world.reopen(360)
            world.start(clean=False)
            world.load_rules()
        if minute % 10 == 0:
            world.ledger.publish_blocking()
        beat(world, 60)
    world.stop()
    world.ledger.publish_blocking()
    world.ledger.close()
    return world


def _something(world: World, dice: random.Random) -> None:
    person, (tool, server) = dice.choice(PEOPLE), dice.choice(TOOLS)
    chance = dice.random()
    if chance < 0.05:
        world.refuse("denied_by_rule", "no rule allows it", person=person, name="delete_customer")
    elif chance < 0.08:
        world.refuse("unauthenticated", "the token's audience is another")
    else:
        base = world.base(person, tool) | {"dst": {"server": server, "host": f"{server}.internal:8443"}}
        found = {kind: dice.randrange(1, 4) for kind in dice.sample(KINDS, dice.randrange(3))}
        index = world.call(base, {"id": "C-1042"}, found)
        world.clock.advance(dice.uniform(0.05, 0.8))
        world.reply(base, index, ok=dice.random() > 0.02, counts={kind: dice.randrange(1, 9) for kind in found})


def _export(world: World, number: int) -> None:
    held = world.hold(BOT if number == 0 else TOM, number)
    world.clock.advance(31 + number * 88)
    if number == 0:
        held.decide("approve", "Quarterly export, ticket DPO-118")
        held.go()
        held.close("used")
        return
    held.decide("deny", "No business need for the full segment")
    held.close("denied", "No business need for the full segment")
    world.refuse("denied_by_approver", "an approver said no", person=TOM, name="export_customers")


class Source:
    """A ledger folder as Material. Close the story when done with it."""

    def __init__(self, folder: Path, withheld: Sequence[int] = ()) -> None:
        self._folder = folder
        self._withheld = withheld
        with open_reader(folder) as reader:
            self._size = reader.size()
            self._root = reader.frontier(self._size).root()
            self._notes = list(reader.checkpoints())

    def entries(self, first: int | None = None, end: int | None = None) -> Iterator[Entry]:
        with open_reader(self._folder) as reader:
            for index, data in reader.records(first or 0, end):
                if index not in self._withheld:
                    yield parse_entry(index, data)

    def material(self, *, stamped: bool = False, controls: tuple[object, ...] = ()) -> Material:
        checkpoints = [note.parse_checkpoint(note.parse_note(data).text) for data in self._notes]
        marks = [Mark(checkpoint.size, checkpoint.root) for checkpoint in checkpoints]
        story = self._story()
        last_at = story.last_at
        assert last_at is not None
        stamps = [Stamped(mark.size, "tsa.example.org", story.time_of(mark.size) or last_at) for mark in marks]
        outside = Outside(lambda: iter(self._notes), tuple(stamps[:-9] if stamped else ()))
        selection = ("4-8",) if self._withheld else ()
        scope = Scope(
            origin="gw.example.com/ledger/n1", key_id="0f1e2d3c", start=Mark(0, bytes(32)),
            end=Mark(self._size, self._root), asked_from="", asked_to="", rules={}, selection=selection,
        )  # fmt: skip
        return Material(scope, story, self.entries, marks, outside, controls)

    def _story(self) -> Story:
        book = Notebook()
        teller = Teller(book, 0, {})
        with open_reader(self._folder) as reader:
            for index, data in reader.records():
                if index in self._withheld:
                    teller.withhold(index)
                    continue
                entry = parse_entry(index, data)
                teller.add(entry, _opened(reader, entry))
        teller.finish()
        return Story(book, teller.counts)


def _opened(reader: Reader, entry: Entry) -> dict[str, Opened | None]:
    found: dict[str, Opened | None] = {}
    for member, (commitment, _, _) in payload_refs(entry).items():
        row = reader.payload(commitment)
        found[member] = None if row is None else Opened(*row)
    return found
