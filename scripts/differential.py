#!/usr/bin/env python3
"""Hold the gateway's findings against Presidio's own over as many texts as there is time for.

`make differential` runs it. Texts are made from a seed: realistic ones, values put together, mutated, in odd scripts,
random, and hostile but short. Each is given to `AnalyzerEngine` and to the gateway's way with every engine (hyperscan,
re2, pure), over the shipped rules, Presidio's defaults with eight telephone regions, and the whole catalogue. Exit code
1 when one finding differs; the text is printed, so that it can become a test.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "addons")]

from tests.masking.differential import RULES, Mismatch, Sides
from tests.masking.differing_texts import texts

from holdfast.masking.prefilter import ENGINES

MISMATCHES_MAX: Final = 20  # more of them tell no more


def main(argv: Sequence[str] | None = None) -> int:
    """Compare until the time is up. Returns the exit code."""
    options = _parser().parse_args(argv)
    report = {}
    for name in options.rules or RULES:
        report[name] = _compare(name, options.seed, options.seconds, tuple(options.engine or ENGINES))
    if options.json:
        print(json.dumps(report, indent=2))
    return 1 if any(one["mismatches"] for one in report.values()) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="time for each set of rules (default 60)")
    parser.add_argument("--seed", type=int, default=1, help="which texts (default 1)")
    parser.add_argument("--rules", choices=sorted(RULES), action="append", help="only these; may be given again")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="only this; may be given again")
    parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
    return parser


def _compare(name: str, seed: int, seconds: float, engines: tuple[str, ...]) -> dict[str, int]:
    sides = Sides(RULES[name](), engines)
    made = texts(seed)
    end_s = time.monotonic() + seconds
    texts_count = mismatches_count = 0
    while time.monotonic() < end_s and mismatches_count < MISMATCHES_MAX:
        batch = list(itertools.islice(made, 6))
        for kind, text, context in batch:
            texts_count += 1
            for mismatch in sides.mismatches(text, context, [other for _, other, _ in batch]):
                mismatches_count += 1
                _tell(name, kind, mismatch)
    print(
        f"{name}: {texts_count} texts, {sides.findings_count} findings, {mismatches_count} mismatches",
        file=sys.stderr,
        flush=True,
    )
    return {"texts": texts_count, "findings": sides.findings_count, "mismatches": mismatches_count}


def _tell(name: str, kind: str, mismatch: Mismatch) -> None:
    print(f"{name}, {mismatch.engine}, {kind}: {mismatch.text!a} beside {mismatch.context}")
    for label, found in (("missed", mismatch.missed), ("extra", mismatch.extra)):
        for entity, start, end, score in sorted(found):
            print(f"  {label}: {entity} {start}-{end} {score}")


if __name__ == "__main__":
    raise SystemExit(main())
