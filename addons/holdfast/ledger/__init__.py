"""The append-only log of Records: FORMAT.md states the bytes."""
