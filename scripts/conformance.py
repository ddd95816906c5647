#!/usr/bin/env python3
"""Let the conformance suite of MCP try our fixture server, directly and through a real gateway, in both eras.

`make conformance` runs it. The suite is `@modelcontextprotocol/conformance`, set up in `.conformance` with a Node that
can run it, pinned by hash. With the gateway in between it must find exactly what it finds without: the two columns show
for every scenario how many checks passed, and the exit code is 1 where one differs or the fixture itself fails.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "addons")]

from scripts.apart.folder import SetupError
from tests.conformance import columns, crossing, suite

ERAS: Final = ("2025-11-25", "2026-07-28")


def main(arguments: list[str] | None = None) -> int:
    """Set up, run, print. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Run MCP's conformance suite directly and through the gateway.")
    parser.add_argument(
        "--ready", action="store_true", help="only say by the exit code whether .conformance is ready (0)"
    )
    parser.add_argument("--era", action="append", choices=ERAS, help="protocol version to try (default: both)")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the suite's files and the gateway's data there"
    )
    options = parser.parse_args(arguments)
    if options.ready:
        return 0 if suite.APART.is_ready() else 1
    try:
        suite.set_up()
        if options.keep is not None:
            options.keep.mkdir(parents=True)
            return _compare(options.keep.resolve(), options.era or ERAS)
        with tempfile.TemporaryDirectory() as folder:
            return _compare(Path(folder), options.era or ERAS)
    except FileExistsError:
        print(f"conformance: {options.keep} is there already; name a new folder", file=sys.stderr)
    except SetupError as error:
        print(f"conformance: {error}", file=sys.stderr)
    return 2


def _compare(folder: Path, eras: tuple[str, ...]) -> int:
    bad = 0
    with crossing.fixture(folder) as port, crossing.gateway_before(port, folder) as (front_port, _):
        for era in eras:
            direct = suite.run(f"http://127.0.0.1:{port}/mcp", era, folder / "direct" / era)
            crossed = suite.run(f"http://127.0.0.1:{front_port}/mcp", era, folder / "gateway" / era)
            print(f"\n{era}")
            print("\n".join(columns.lines(direct, crossed)), flush=True)
            differing, failing = columns.differing(direct, crossed), columns.failing(direct)
            bad += len(differing) + len(failing)
            print(f"  {len(direct)} scenarios: {len(differing)} differ, {len(failing)} fail without the gateway")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
