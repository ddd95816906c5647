"""Names that `build` and `verify` share: files, and what Records name by digest. Standard library only."""

from typing import Final

from holdfast.evidence.files.entry import Entry

OCSF_FILE: Final = "siem/ocsf.jsonl.gz"
_PATHS: Final = (("gw", "config"), ("mcp", "definition"), ("tool", "digest"), ("tool", "previous"), ("retention",))


def objects_of(entry: Entry) -> list[str]:
    """The digests that a Record names besides rules: options, tools' definitions, the retention policy."""
    return [digest for path in _PATHS if (digest := entry.text(*path))]
