"""Starting the gateway and a bare mitmdump in the same way, so that what differs is the gateway alone."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from scripts.demo_world.processes import ROOT, tool_path


@dataclasses.dataclass(frozen=True, slots=True)
class Proxy:
    """Where a mitmdump listens and where it forwards to; ``home`` is a folder of its own for its configuration."""

    port: int
    upstream: str
    home: Path

    @property
    def url(self) -> str:
        """The address that clients call."""
        return f"http://127.0.0.1:{self.port}/mcp"

    def bare(self, *extra: str) -> list[str]:
        """The command of a mitmdump without any script."""
        return [
            tool_path("mitmdump"),
            *("--mode", f"reverse:{self.upstream}"),
            *("--listen-host", "127.0.0.1", "--listen-port", str(self.port)),
            # A config.yaml in the user's own folder would override what is set here.
            *("--set", f"confdir={self.home}"),
            *extra,
        ]

    def guarded(self, rules: Path, data: Path, extra: Sequence[str] = ()) -> list[str]:
        """The command of the gateway."""
        script = str(ROOT / "addons" / "gateway.py")
        options = ("--set", f"holdfast_rules={rules}", "--set", f"holdfast_data={data}")
        return self.bare("-s", script, *options, *extra)
