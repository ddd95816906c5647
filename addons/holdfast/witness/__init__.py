"""Who outside vouches for the ledger: witnesses that cosign its checkpoints, and time stamps over them.

START HERE: `watch.py`, the thread that asks everybody outside, round after round. It asks through `submit.py` (over
`post.py`), keeps what came in `store.py` (`witness.db`), and `standing.py` says who is overdue and whether Calls are
refused for it.

`rules.py` reads `witnesses.yaml`. The formats are in `protocol.py`, `cosignature.py`, `policy.py` and `timestamp.py`; a
verifier needs the last three. `server/` is a witness to run elsewhere, `scripts/witness.py`: `judge.py` decides,
`store.py` remembers. docs/witnesses.md says what all of it proves.
"""
