"""How well masking finds what a labelled data set says is there: ``scripts/rules.py score``."""
