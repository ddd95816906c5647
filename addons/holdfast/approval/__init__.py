"""Calls that wait for a person: holds, signed decisions, and the desk where approvers decide."""
