"""How large pages may get. The ledger's Records may be a million; what a browser opens and a person reads may not."""

from typing import Final

ROWS_MAX: Final = 1_000  # of one table: what a browser lays out at once; the CSV beside the page holds every row
TABLE_CHARS_MAX: Final = 600_000  # of one table's cells: a thousand rows of Records' longest texts would be 16 MB
CELL_CHARS_MAX: Final = 300  # some four lines of a cell; the CSV holds it whole
COLUMNS_ALL_MAX: Final = 8  # more columns do not fit a page of paper: those that are empty throughout are left out
HOLDS_MAX: Final = 100  # holds with their views; reports/06-approvals.csv holds every one
APPROVALS_MAX: Final = 6  # decisions shown with one hold; more than a rule asks for in practice
VIEW_CHARS_MAX: Final = 20_000  # some four hundred lines of one view; approvals/<hold>/view.txt holds it whole
VIEWS_CHARS_MAX: Final = 400_000  # of all views of one page together
FIRST_EXCEPTIONS_MAX: Final = 20  # on the front page; 07-exceptions has them all
NAMES_MAX: Final = 12  # bars of a chart: callers, rules, entities; what is less frequent is one bar, "others"
DISTINCT_MAX: Final = 10_000  # callers and rules that are told apart while counting; memory must not grow with Records
CONTROL_ROWS_MAX: Final = 100  # of one report within a control's page, which may show a dozen of them
CONTROLS_MAX: Final = 100  # of one control page, some five kilobytes each; their reports are shown once
FILES_ALL_MAX: Final = 200  # of one kind of file in the manifest page; SHA256SUMS names every one of them
CONTROLS_LISTED_MAX: Final = 2_000  # in the manifest page; CONTROLS.csv has every one
# What all of these add up to at worst, where every character of every cell is one that HTML escapes. A page of ordinary
# Records stays below 1 MB.
PAGE_BYTES_MAX: Final = 10 * 1024 * 1024
