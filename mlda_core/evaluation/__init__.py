"""Scores against the truth and against other methods."""
