"""One Record or two packages: samples, proofs and comparisons."""
