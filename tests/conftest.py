"""Where the tests write, and in which order their files are handed out: both decide how long all of them take.

Thousands of ledgers are written durably, and a disk takes ten milliseconds for each of their synchronisations. What
those are worth is tested by faults (`tests/faults`), not by the disk of whoever runs the tests.
"""

import os
import shutil
from pathlib import Path
from typing import Final

import pytest

MEMORY: Final = Path("/dev/shm")
ROOM_BYTES_MIN: Final = 4 * 1024**3  # a run leaves some 1.5 GB, most of it until its end
_ROOT: Final = "PYTEST_DEBUG_TEMPROOT"  # pytest's own: below which folder tmp_path is

# Seconds to minutes each, the longest first; behind them come the other files that start processes, then the rest.
LONGEST: Final = (
    "tests/live/test_leaks.py",
    "tests/live/test_demo.py",
    "tests/clients/test_matrix.py",
    "tests/clients/test_holds.py",
    "tests/live/test_faults.py",
    "tests/live/test_options.py",
    "tests/live/test_holding.py",
    "tests/masking/test_differential.py",
    "tests/faults/test_disk.py",
    "tests/evidence/test_page_browser.py",
    "tests/policy/test_rules_command.py",
)


def pytest_configure() -> None:
    """Have the tests write to memory where there is room; who named a folder, gets that."""
    if _ROOT not in os.environ and _has_room():
        os.environ[_ROOT] = str(MEMORY)


def _has_room() -> bool:
    try:
        return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= ROOM_BYTES_MIN
    except OSError:
        return False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files in their order; that of the tests in a file stays."""
    live = {_file_of(item) for item in items if item.get_closest_marker("live") is not None}
    items.sort(key=lambda item: _rank(_file_of(item), live))


def _file_of(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def _rank(file: str, live: set[str]) -> int:
    if file in LONGEST:
        return LONGEST.index(file)
    return len(LONGEST) + (file not in live)
