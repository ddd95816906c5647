"""The order in which files of tests are handed out names files that there are."""

from tests.conftest import LONGEST
from tests.repo.tree import ROOT


def test_every_file_that_comes_first_is_there() -> None:
    assert [file for file in LONGEST if not (ROOT / file).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)
