"""Rules in `rules/*.yaml` to frozen values, and what they say about a Call."""
