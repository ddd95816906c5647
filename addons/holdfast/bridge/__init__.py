"""Bridges between stdio and HTTP: a stdio server behind the gateway, and a stdio client before it.

::

    client ──HTTP──▶ gateway ──HTTP, secret──▶ served.py ─▶ relay.py ─▶ child.py ──stdin/stdout──▶ stdio server
    stdio client ──stdin/stdout──▶ client.py ──HTTP──▶ gateway ──▶ …

Both relay whole messages: whatever member a message has, known or not, goes on.
"""
