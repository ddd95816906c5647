"""Decide about calls that wait for approval: `approve.py --help`, docs/approvals.md."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "addons"))

from holdfast.approval.cli import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
