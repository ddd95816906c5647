"""The command `scripts/ledger.py`: one module for each group of subcommands.

A module of this package has ``add(commands)``, which declares its subcommands and sets ``run`` on each of them.
"""
