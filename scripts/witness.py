#!/usr/bin/env python3
"""Run a witness for ledgers: init, add-log, serve, status.

Exit codes: 0 done, 1 a log has signed two histories (status), 2 not possible, 3 wrong usage.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "addons"))

from holdfast.witness.server.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
