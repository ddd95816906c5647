"""From the ledger to a package that a stranger verifies offline.

START HERE: `build.py`, the order in which a package is made, and `verify.py`, the thirteen steps that check one. Both
make the same files from the Records, so `story/`, `tables/` and `pages/` serve them alike.

==============  =================================================================================================
folder          open it for
==============  =================================================================================================
`files/`        the bytes: the zip (`container.py`), every name (`layout.py`), Records (`shelf.py`), payloads,
                the signed manifest
`making/`       building: which Records (`period.py`), the walk (`packing.py`), signatures (`sealing.py`), the Record of
                the export (`exporting.py`), `VERIFY.md` (`guide.py`), `verify.py` (`standalone.py`)
`checking/`     verifying: the walk (`walk.py`), the steps by group, what a bare Python runs (`alone.py`)
`story/`        what the Records tell: facts (`facts.py`), calls and their ends (`teller.py`), gaps, changes
`tables/`       the eleven reports as rows (`reports.py`), and every file that follows from the Records (`derived.py`)
`pages/`        the same as HTML; `front.py` is the page that people open first. Looks and words are in `templates/`
`control/`      controls of frameworks, read from `rules/controls/`
`siem/`         Records as OCSF events
`proofs/`       samples, the proof of one Record, two packages compared
`commands/`     `scripts/evidence.py`
==============  =================================================================================================

What a package holds, and what each step checks: docs/evidence.md.
"""
