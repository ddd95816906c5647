#!/usr/bin/env python3
"""Bridge stdio and the gateway: connect a client that only speaks stdio, or serve such a server.

Exit codes: 0 done, 2 not possible, 3 wrong usage.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "addons"))

from holdfast.bridge.commands import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
