#!/usr/bin/env python3
"""Start the gateway before an MCP server: one with an address, or one that speaks stdio.

Exit codes: the gateway's own; 2 not possible, 3 wrong usage.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "addons"))

from holdfast.bridge.running import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
