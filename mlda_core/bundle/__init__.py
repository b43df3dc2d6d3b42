"""Bundles: a trained model with its months and statistics, in one folder."""
