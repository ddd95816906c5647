"""The demo's world: an identity provider, an MCP server with customers, agents that call it, and what they prove."""
