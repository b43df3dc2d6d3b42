"""Observations: the checked table, files, observing networks."""
