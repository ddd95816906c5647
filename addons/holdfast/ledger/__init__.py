"""The append-only log of Records: FORMAT.md states the bytes.

START HERE, in this order: `ledger.py` (open, append, close), `writer.py` (the thread that writes, in groups),
`store.py` (one group as one transaction, where it becomes durable), then FORMAT.md.

==================================================  ============================================================
to see                                              open
==================================================  ============================================================
what a Record may hold                              `fields.py`, `record.py`, `shape.py`, `spelling.py`
what the gateway hands over and gets back           `draft.py`
the tree and its proofs                             `tree.py`, `tiles.py`, `nodes.py`, `tlogproof.py`, `tiling.py`
checkpoints and who signs them                      `publish.py`, `checkpoints.py`, `note.py`, `keys.py`, `keyring.py`
what a start compares                               `opening.py`, `running.py`, `schema.py`
reading and verifying                               `reader.py`, `verify.py`, `checks.py`, `payloads.py`, `handover.py`
rotation, erasure, recovery                         `keeping/`
the writer in a process of its own                  `remote/`: `serving.py`, `verbs.py`, `remote.py`, `wire.py`
`scripts/ledger.py`                                 `commands/`
==================================================  ============================================================

A module that says "standard library only" also runs inside the `verify.py` of a package.
"""
