"""Presidio over every string of a message, and what replaces what it finds."""
