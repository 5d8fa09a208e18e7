"""Published statements recomputed: one row for every number and formula, with the verdict."""
