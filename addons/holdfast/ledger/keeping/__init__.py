"""What an operator does to a ledger: change its key, erase payloads, begin anew after a loss."""
