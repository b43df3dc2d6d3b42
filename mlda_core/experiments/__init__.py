"""Experiments over many months."""
