"""The parts of a build: which Records, what goes with them, and the signatures over all of it."""
