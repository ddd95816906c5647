"""Files beside a rule file that it names: they are part of the rules, and of their digest."""

import re
from pathlib import Path
from typing import Final

from holdfast.errors import RulesError
from holdfast.policy.document import Section, Source, parse_document, read_source, require_version

_NAME: Final = re.compile(r"(?:[a-z0-9][a-z0-9_-]{0,63}/)?[a-z0-9][a-z0-9._-]{0,63}\.yaml")


class Beside:
    """Reads rule files in and below one folder, each once, and remembers them as sources."""

    def __init__(self, directory: Path | None) -> None:
        """``directory`` None: there are no files."""
        self._directory = directory
        self._read: dict[str, tuple[Source, Section]] = {}

    @property
    def sources(self) -> tuple[Source, ...]:
        """What was read so far."""
        return tuple(source for source, _ in self._read.values())

    def has(self, name: str) -> bool:
        """Whether there is a file of that name."""
        return self._directory is not None and bool(_NAME.fullmatch(name)) and (self._directory / name).exists()

    def read(self, name: str) -> Section:
        """The file ``name``, which may stand in a folder: ``profiles/pci.yaml``.

        Raises:
            RulesError: the name leads elsewhere, or the file is missing or wrong.
        """
        if not _NAME.fullmatch(name):
            raise RulesError(name, 1, "is no name of a rule file", "Use lower case, one folder at most, and .yaml")
        if self._directory is None:
            raise RulesError(name, 1, "cannot be read: these rules are in no folder", "Put the file beside them")
        if name not in self._read:
            source = Source(name, read_source(self._directory / name).data)
            section = parse_document(source)
            require_version(section)
            self._read[name] = (source, section)
        return self._read[name][1]
