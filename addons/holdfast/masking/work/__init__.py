"""Processes that mask what would keep the event loop too long, and that can be killed.

In the order in which a message meets them: ``pool.py`` (who works next, and until when), ``worker.py`` (the processes
as the gateway sees them), ``wire.py`` (what is said), and on the other side ``nursery.py`` (loads the engine once,
forks workers) and ``child.py`` (a worker).
"""
