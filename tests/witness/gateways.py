"""A gateway's ledger among witnesses that can fail, with a clock that only the test moves."""

import contextlib
from pathlib import Path
from typing import Any

from tests.ledger.ledgers import heartbeat, keys_in, open_ledger
from tests.witness.worlds import Served, key_in, make_witness, opened, serving

from holdfast import jsontext
from holdfast.clock import SetClock
from holdfast.ledger.ledger import Ledger
from holdfast.ledger.reader import open_reader
from holdfast.witness.rules import WitnessRules
from holdfast.witness.server.judge import Answer, Judge
from holdfast.witness.watch import Watch

DOWN = Answer(503, b"")


class Switch(Judge):
    """A real witness that can be made to fail: ``answer`` instead of its own."""

    answer: Answer | None = None

    def add_checkpoint(self, body: bytes) -> Answer:
        return self.answer or super().add_checkpoint(body)


class World:
    """A ledger, witnesses that can fail, and a clock that only the test moves."""

    def __init__(self, tmp_path: Path, stack: contextlib.ExitStack) -> None:
        self.clock, self.data, self._stack = SetClock(), tmp_path / "data", stack
        self.data.mkdir()
        self.ledger: Ledger = stack.enter_context(contextlib.closing(open_ledger(self.data, self.clock)))
        self._folder = tmp_path
        self.rules = WitnessRules()

    def witness(self, name: str) -> tuple[Switch, Served]:
        folder = self._folder / name
        judge = make_witness(folder, self.clock, name=f"{name}.example.com/w")
        key = keys_in(self.data).verifier
        opened(folder).add_log(key.name, key, self.clock.now_at())
        judge.__class__ = Switch
        assert isinstance(judge, Switch)
        return judge, self._stack.enter_context(serving(judge, key_in(folder)))

    def watch(self) -> Watch:
        watch = Watch(self.ledger, self.data, lambda: self.rules, self.clock)
        self._stack.callback(watch._outside.close)
        self.ledger.refuse_calls = watch.refusal
        return watch

    def round(self, watch: Watch, seconds: float = 60) -> None:
        self.clock.advance(seconds)
        self.ledger.append_blocking(heartbeat())
        self.ledger.publish_blocking()
        watch.round()

    def outages(self) -> list[tuple[Any, ...]]:
        with open_reader(self.data) as reader:
            records = [jsontext.parse(entry) for _, entry in reader.records()]
        found: list[dict[str, Any]] = [record for record in records if isinstance(record, dict)]
        return [
            (record["typ"], record["witness"]["name"], record.get("cause"))
            for record in found
            if record["typ"].startswith("witness.")
        ]
