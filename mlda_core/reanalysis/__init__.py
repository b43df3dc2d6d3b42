"""Reanalyses of many months: a resumable store, filled by parallel processes."""
