"""Who outside vouches for the ledger: witnesses that cosign its checkpoints, and time stamps over them."""
