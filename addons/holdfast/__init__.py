"""Holdfast: identify, mask, approve and record every call between AI agents and MCP servers."""

__version__ = "0.1.0"
