"""What people load into a bare mitmdump so that it does not hold event streams back: the fair rival for streams."""

from typing import Any


def responseheaders(flow: Any) -> None:
    """Pass event streams through as they come."""
    if flow.response.headers.get("content-type", "").startswith("text/event-stream"):
        flow.response.stream = True
