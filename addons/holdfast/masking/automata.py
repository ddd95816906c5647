"""Compiled automata kept on disk, so that a start does not take seconds to compile what has not changed.

What a Hyperscan database holds is run as it stands: bytes made by somebody else could do anything with this process. So
a file is taken only with the right HMAC-SHA256, under a key derived from the masking key, over its name and content;
the name is the digest of the patterns, the library's version and the machine's kind. Anything else is compiled anew and
replaced. A folder that cannot be written costs time, and nothing more.

    32 bytes   HMAC-SHA256 over name and content
    content
"""

import contextlib
import dataclasses
import hashlib
import hmac
import os
import tempfile
from pathlib import Path
from typing import Final

FILES_COUNT_MAX: Final = 8  # some 3 MB each: rules in force, and those before
FILE_BYTES_MAX: Final = 256 * 1024 * 1024
_MAC_BYTES: Final = 32
_SUFFIX: Final = ".automata"


@dataclasses.dataclass(frozen=True, slots=True)
class Automata:
    """The files in ``folder``, which is made when the first is written. ``key`` (32 bytes) authenticates them."""

    folder: Path
    key: bytes = dataclasses.field(repr=False)

    @classmethod
    def beside(cls, data: Path, masking_key: bytes) -> "Automata":
        """Those of a gateway whose data folder is ``data``."""
        key = hashlib.blake2b(b"holdfast/masking/automata/v1", key=masking_key, digest_size=32).digest()
        return cls(data / "automata", key)

    def read(self, name: str) -> bytes | None:
        """The content of ``name`` (hex digits), as it was written here; None where there is none such."""
        try:
            descriptor = os.open(self._path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(FILE_BYTES_MAX)
        except OSError:
            return None
        mac, content = data[:_MAC_BYTES], data[_MAC_BYTES:]
        return content if hmac.compare_digest(mac, self._mac(name, content)) else None

    def write(self, name: str, content: bytes) -> None:
        """Keep ``content`` under ``name``, whole or not at all; without a word where that cannot be done."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(mode=0o700, exist_ok=True)
            descriptor, draft = tempfile.mkstemp(dir=self.folder)  # 0600
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(self._mac(name, content) + content)
                Path(draft).replace(self._path(name))
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
            self._tidy()

    def _tidy(self) -> None:
        """Drop the oldest files, and drafts of writers that did not come to an end."""
        files = sorted(self.folder.iterdir(), key=_written_at, reverse=True)
        for path in files[FILES_COUNT_MAX:]:
            path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self.folder / (name + _SUFFIX)

    def _mac(self, name: str, content: bytes) -> bytes:
        return hmac.digest(self.key, name.encode() + b"\0" + content, "sha256")


def _written_at(path: Path) -> float:
    try:
        return path.stat(follow_symlinks=False).st_mtime
    except OSError:
        return 0.0
