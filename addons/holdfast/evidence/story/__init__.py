"""What the Records tell: calls with their ends, holds with their decisions, changes, gaps."""
