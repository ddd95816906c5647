"""The subcommand `export`: Records as lines, or the whole ledger as tiles that a web server can serve."""

import argparse
import itertools
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from holdfast.errors import LedgerError
from holdfast.ledger import note, tiling
from holdfast.ledger.commands.shared import EXIT_OK, EXIT_UNVERIFIABLE, EXIT_USAGE, Commands, out, say
from holdfast.ledger.nodes import StoredNodes
from holdfast.ledger.reader import Reader, open_reader
from holdfast.ledger.tiles import TileTree

_CHUNK_COUNT: Final = 64 * 256  # leaves read at once: half a MiB


def add(commands: Commands) -> None:
    """Declare the subcommand."""
    export = commands.add_parser("export", help="print Records, one JSON object per line, or write tlog-tiles")
    export.add_argument("--from", dest="start", type=_index, help="index of the first Record (default: 0)")
    export.add_argument("--to", dest="end", type=_index, help="index after the last Record (default: all)")
    export.add_argument(
        "--tiles",
        type=Path,
        metavar="DIR",
        help="write the signed ledger as a C2SP tlog-tiles folder; again: add to it",
    )
    export.set_defaults(run=_run)


def _index(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError("expected a number from 0")
    return int(text)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.tiles is not None and (arguments.start is not None or arguments.end is not None):
        say("ledger: --tiles writes the whole ledger; leave out --from and --to")
        return EXIT_USAGE
    try:
        with open_reader(arguments.data) as reader:
            if arguments.tiles is None:
                _print_records(reader, arguments.start or 0, arguments.end)
            else:
                size, written = write_tiles(reader, arguments.tiles)
                out(f"{arguments.tiles}: {size} Records, {written} files written")
    except LedgerError as error:
        say(f"ledger: {error}")
        return EXIT_UNVERIFIABLE
    except OSError as error:
        say(f"ledger: {arguments.tiles}: {error.strerror}")
        return EXIT_UNVERIFIABLE
    return EXIT_OK


def _print_records(reader: Reader, start: int, end: int | None) -> None:
    for _, entry in reader.records(start, end):
        sys.stdout.buffer.write(entry + b"\n")
    sys.stdout.buffer.flush()


def write_tiles(reader: Reader, folder: Path) -> tuple[int, int]:
    """Bring the tlog-tiles in ``folder`` up to the last signed checkpoint; returns its size, and how many files came.

    The checkpoint is written last: whoever reads the folder meanwhile finds every tile that the checkpoint there asks
    for. What a crash left behind is written again.

    Raises:
        LedgerError: there is no checkpoint yet, or the folder holds a ledger that this one does not continue.
        OSError: the folder cannot be written.
    """
    head = reader.last_checkpoint()
    if head is None:
        raise LedgerError("the ledger has no checkpoint yet")
    checkpoint = note.parse_checkpoint(note.parse_note(head).text)
    if reader.frontier(checkpoint.size).root() != checkpoint.root:
        raise LedgerError(f"the last checkpoint is not the one of its {checkpoint.size} Records; run verify")
    start = tiling.aligned(_size_there(reader, folder, checkpoint))
    before = TileTree.restore(start, StoredNodes(reader.ledger))
    leaves = itertools.chain.from_iterable(_leaves(reader, start, checkpoint.size))
    entries = (entry for _, entry in reader.records(start, checkpoint.size))
    written, full = 0, []
    for path, data in itertools.chain(tiling.tile_files(leaves, before), tiling.bundle_files(entries, start)):
        written += _write(folder / path, data)
        full += [path] if tiling.whole_path(path) == path else []
    written += _write(folder / tiling.CHECKPOINT_PATH, head)
    for path in full:
        # tlog-tiles: a partial tile may go once the full one is there, and readers fall back to it.
        shutil.rmtree(folder / f"{path}.p", ignore_errors=True)
    return checkpoint.size, written


def _size_there(reader: Reader, folder: Path, now: note.Checkpoint) -> int:
    try:
        there = note.parse_checkpoint(note.parse_note((folder / tiling.CHECKPOINT_PATH).read_bytes()).text)
    except FileNotFoundError:
        if folder.is_dir() and any(folder.iterdir()):
            raise LedgerError(f"{folder} is not empty and holds no checkpoint; take an empty folder") from None
        return 0
    if there.origin != now.origin:
        raise LedgerError(f"{folder} holds the tiles of {there.origin}, not of {now.origin}")
    if there.size > now.size or reader.frontier(there.size).root() != there.root:
        raise LedgerError(f"this ledger does not continue the one in {folder}, of {there.size} Records; run verify")
    return there.size


def _leaves(reader: Reader, start: int, end: int) -> Iterator[list[bytes]]:
    for low in range(start, end, _CHUNK_COUNT):
        yield reader.leaves(low, min(low + _CHUNK_COUNT, end))


def _write(path: Path, data: bytes) -> int:
    """Write the file whole or not at all; 1 if it was written, 0 if it was there already."""
    if path.is_file() and path.read_bytes() == data:
        return 0
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    with draft.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return 1
