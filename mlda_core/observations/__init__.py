"""Observations: input formats, the checked table, observing networks."""
