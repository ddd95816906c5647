#!/usr/bin/env python3
"""Look at a ledger and verify it; erase payloads, change its key, recover after a loss, serve it from its own process.

Exit codes: 0 ok, 1 tampered, 2 cannot be done, verified or read, 3 wrong usage.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "addons"))

from holdfast.ledger.commands.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
