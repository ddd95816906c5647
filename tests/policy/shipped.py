"""The rule files that the project ships."""

from pathlib import Path

RULES = Path(__file__).resolve().parents[2] / "rules"
