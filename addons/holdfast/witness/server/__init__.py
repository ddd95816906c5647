"""A witness to run in another account than the gateway's: `scripts/witness.py`."""
