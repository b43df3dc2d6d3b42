"""Scores against the target and against other methods."""
