"""The ledger's writer as a process of its own: the socket, what is said over it, and who may say it."""
