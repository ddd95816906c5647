"""Which files of tests come first: those that take long, so that in the end no worker is left alone with one of them.

`make test` hands out files in this order. Nothing else depends on it.
"""

from typing import Final

import pytest

# Seconds to minutes each, the longest first; behind them come the other files that start processes, then the rest.
LONGEST: Final = (
    "tests/live/test_leaks.py",
    "tests/live/test_demo.py",
    "tests/conformance/test_through_gateway.py",
    "tests/clients/test_matrix.py",
    "tests/clients/test_holds.py",
    "tests/masking/test_differential.py",
    "tests/live/test_options.py",
    "tests/ledger/test_rotation_faults.py",
)


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
