"""LLM APIs as a second kind of server: their requests are Calls and their replies are Replies, judged like MCP's."""
