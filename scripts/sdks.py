#!/usr/bin/env python3
"""Set up `.sdks`: the SDKs of two providers of language models, pinned by hash. For the tests in tests/llm.

`make sdks` runs it. They live apart from `.venv`, because nothing of ours needs them.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts.apart.folder import Apart, SetupError

SOURCES: Final = ROOT / "tests" / "llm"
APART: Final = Apart("sdks", SOURCES, ("requirements.txt",))
PYTHON: Final = APART.folder / "bin" / "python"


def main(arguments: list[str] | None = None) -> int:
    """Build `.sdks` unless it is ready. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Set up .sdks: the SDKs openai and anthropic, for tests.")
    parser.add_argument("--ready", action="store_true", help="only say by the exit code whether .sdks is ready (0)")
    options = parser.parse_args(arguments)
    if options.ready:
        return 0 if APART.is_ready() else 1
    try:
        APART.set_up(_build, "SDKs of LLM providers (a few seconds)")
    except SetupError as error:
        print(f"sdks: {error}", file=sys.stderr)
        return 1
    return 0


def _build() -> None:
    folder = str(APART.folder)
    APART.run([sys.executable, "-I", "-m", "venv", "--without-pip", folder], "no virtual environment could be made")
    pip = [sys.executable, "-I", "-m", "pip", "--python", str(PYTHON), "install", "--require-hashes", "--no-deps"]
    options = ["--only-binary=:all:", "--no-input", "--disable-pip-version-check", "-qq"]
    problem = "the pinned Python packages could not be installed (no network?)"
    APART.run([*pip, *options, "-r", str(SOURCES / "requirements.txt")], problem)


if __name__ == "__main__":
    sys.exit(main())
