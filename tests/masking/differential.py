"""The gateway's way to findings beside Presidio's ``AnalyzerEngine``: same recognizers, same thresholds, same texts."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from scripts.bench_world.masking import all_on

from holdfast.masking import quiet
from holdfast.masking.automata import Automata
from holdfast.masking.budget import Budget
from holdfast.masking.catalogue import RECOGNIZERS
from holdfast.masking.entries import MaskingRules
from holdfast.masking.finder import DirectFinder, Finder, FullFinder
from holdfast.masking.language import CutterNlpEngine
from holdfast.masking.prefilter import ENGINES
from holdfast.masking.recognizers import build_recognizers
from holdfast.masking.rules import parse_masking
from holdfast.masking.words import Cutter
from holdfast.policy.beside import Beside
from holdfast.policy.document import Source, parse_document, read_source

RULES_PATH = Path(__file__).parents[2] / "rules" / "masking.yaml"

type Found = frozenset[tuple[str, int, int, float]]


def shipped() -> MaskingRules:
    """The rules that are shipped."""
    return parse_masking(parse_document(read_source(RULES_PATH)), Beside(RULES_PATH.parent))


def defaults() -> MaskingRules:
    """What Presidio switches on by default, with eight telephone regions, and the shipped patterns."""
    return all_on(RULES_PATH)


def catalogue() -> MaskingRules:
    """Every recognizer of the catalogue, at the lowest threshold, so that nothing is hidden by a score."""
    entities = "\n".join(f"  - {{entity: {name}, threshold: 0.01}}" for name in RECOGNIZERS)
    text = f"version: 1\nphone_regions: [US, DE, IN]\nentities:\n{entities}\n"
    return parse_masking(parse_document(Source("masking.yaml", text.encode())))


RULES = {"shipped": shipped, "defaults": defaults, "catalogue": catalogue}


@dataclasses.dataclass(frozen=True, slots=True)
class Mismatch:
    """A text of which an engine found something else than Presidio."""

    engine: str
    text: str
    context: tuple[str, ...]
    missed: Found
    extra: Found


class Sides:
    """Presidio, and the gateway's way with each engine, over one set of rules."""

    def __init__(self, rules: MaskingRules, engines: Sequence[str] = ENGINES, automata: Automata | None = None) -> None:
        """``automata`` saves compiling anew."""
        cutter = Cutter(rule.entity for rule in rules.entities)
        recognizers = build_recognizers(rules)
        quiet.quieten()
        self._full = FullFinder(recognizers, CutterNlpEngine(cutter))
        self._direct = {engine: DirectFinder(recognizers, cutter, engine, automata) for engine in engines}
        self.findings_count = 0

    def mismatches(self, text: str, context: tuple[str, ...], beside: Sequence[str] = ()) -> list[Mismatch]:
        """What differs over ``text``, which stands in a message with the texts ``beside`` it."""
        expected = found(self._full, text, context, ())
        self.findings_count += len(expected)
        results = {engine: found(finder, text, context, beside) for engine, finder in self._direct.items()}
        return [
            Mismatch(engine, text, context, expected - result, result - expected)
            for engine, result in results.items()
            if result != expected
        ]


def found(finder: Finder, text: str, context: tuple[str, ...], beside: Sequence[str]) -> Found:
    """What ``finder`` finds in ``text``."""
    budget = Budget(lambda: 0.0)
    finder.expect(beside, budget)
    return frozenset((r.entity_type, r.start, r.end, round(r.score, 4)) for r in finder.find(text, context, budget))
