"""Show Holdfast at work, end to end, on this machine alone: `make demo`.

Starts an identity provider, an MCP server with customers, and the gateway in a real mitmdump; lets the MCP SDK's own
client call through it; decides Holds with scripts/approve.py; builds, verifies and forges evidence with
scripts/evidence.py; and searches everything that was written for raw values. Every step says what was expected and what
came; the exit code is 1 when they differ.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "addons")]

from scripts.demo_world.narrator import Narrator
from scripts.demo_world.processes import NotReady
from scripts.demo_world.stage import Folders, Stage
from scripts.demo_world.steps_approval import show_approval
from scripts.demo_world.steps_evidence import REPORT, keep_key_elsewhere, show_evidence, show_search
from scripts.demo_world.steps_identity import show_identity
from scripts.demo_world.steps_reading import show_reading
from scripts.demo_world.world import NotOurs, World, fresh_folder


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo; 0 when everything came as expected, 1 when not, 3 for a wrong command line."""
    options = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, _leave)
    began = time.monotonic()
    try:
        folders = fresh_folder(options.output)
    except NotOurs as problem:
        print(f"demo.py: {problem}", file=sys.stderr)
        return 3
    narrator = Narrator(folders.out / "transcript.txt")
    try:
        _run(narrator, folders, keep_running=options.keep_running)
    except NotReady as problem:
        narrator.expect("a world that starts", str(problem), holds=False)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    return _close(narrator, folders, time.monotonic() - began)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--output", type=Path, default=Path("demo-output"), help="folder to write to, replaced (default demo-output)"
    )
    parser.add_argument(
        "--keep-running", action="store_true", help="leave the world running afterwards, until Ctrl-C, to try things"
    )
    return parser


def _leave(_signal: int, _frame: FrameType | None) -> None:
    # Turns a polite request to end into an exception, so that every child is ended on the way out.
    raise KeyboardInterrupt


def _run(narrator: Narrator, folders: Folders, *, keep_running: bool) -> None:
    narrator.say("Holdfast demo: everything below happens on this machine, on loopback.")
    with World(folders, narrator) as world:
        stage = world.start()
        _steps(stage)
        if keep_running:
            _wait(stage)
    show_search(stage, "after the gateway has stopped")


def _steps(stage: Stage) -> None:
    parts: tuple[Callable[[], None], ...] = (
        lambda: keep_key_elsewhere(stage),
        lambda: show_identity(stage),
        lambda: asyncio.run(show_reading(stage)),
        lambda: asyncio.run(show_approval(stage)),
        lambda: show_evidence(stage),
        lambda: show_search(stage, "while the gateway runs"),
    )
    for part in parts:
        try:
            part()
        except Exception as error:  # noqa: BLE001 -- a part that breaks is a failed expectation; the others still tell
            stage.narrator.expect("a part that runs to its end", _what_happened(error), holds=False)


def _what_happened(error: BaseException) -> str:
    """The innermost of a group's errors, by type and message."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"


def _wait(stage: Stage) -> None:
    token_path = stage.folders.out / "token"
    token_path.touch(mode=0o600)
    token_path.write_text(stage.token(), "ascii")
    print(f"\nThe gateway answers at {stage.url}; a token is in {token_path}. Ctrl-C ends it.")
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def _close(narrator: Narrator, folders: Folders, took_s: float) -> int:
    narrator.say("")
    if narrator.failures:
        narrator.say(f"{len(narrator.failures)} of {narrator.expectation_count} expectations were not met:")
        for failure in narrator.failures:
            narrator.say(f"- {failure}")
    else:
        narrator.say(f"All {narrator.expectation_count} expectations were met, in {took_s:.0f} s.")
    narrator.say(f"Evidence package: {folders.package}")
    narrator.say(f"Report for people: {folders.unpacked / REPORT}")
    narrator.say(f"What you just read: {folders.out / 'transcript.txt'}; the gateway's log is in {folders.gateway}")
    return 1 if narrator.failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
