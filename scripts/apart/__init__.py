"""What is set up apart from `.venv`: programs by others, pinned by hash, each in a folder of its own."""
