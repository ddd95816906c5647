"""What the server says of its tools: annotations, learnt from the `tools/list` replies that pass."""

import collections
from typing import Final

from holdfast.jsontext import Json
from holdfast.policy.annotations import Annotations, parse_annotations

TOOLS_COUNT_MAX: Final = 5_000  # more tools than any server has; beyond it the oldest is unknown again


class Catalog:
    """Tool name to annotations. A tool that was never listed is unknown, which rules read as the worst case."""

    def __init__(self) -> None:
        self._tools: collections.OrderedDict[str, Annotations] = collections.OrderedDict()

    def learn(self, result: Json) -> None:
        """Take in the result of a `tools/list`. Whatever is not shaped like one is passed over."""
        tools = result.get("tools") if isinstance(result, dict) else None
        for tool in tools if isinstance(tools, list) else []:
            name = tool.get("name") if isinstance(tool, dict) else None
            if isinstance(tool, dict) and isinstance(name, str):
                self._tools[name] = parse_annotations(tool.get("annotations"))
                self._tools.move_to_end(name)
        while len(self._tools) > TOOLS_COUNT_MAX:
            self._tools.popitem(last=False)

    def annotations(self, tool: str | None) -> Annotations | None:
        """What the server said of ``tool``, or None where it was never listed."""
        return self._tools.get(tool) if tool is not None else None
