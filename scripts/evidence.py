#!/usr/bin/env python3
"""Build an evidence package from a ledger, verify one, or write the readable report alone.

Exit codes of verify: 0 verified, 1 tampered, 2 cannot be verified, 3 wrong usage. Of build and report: 0 done, 2 not
possible, 3 wrong usage.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "addons"))

from holdfast.evidence.commands.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
