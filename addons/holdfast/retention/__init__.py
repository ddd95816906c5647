"""How long payloads are kept, and which are not to be erased at all: `rules/retention.yaml`."""
