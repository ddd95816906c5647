"""Records as events that a SIEM reads."""
