"""From the ledger to a package that a stranger verifies offline."""
