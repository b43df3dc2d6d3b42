"""Readers of published observation archives, which convert them to the observation table.

Each module reads one format, following its public documentation; :mod:`.registry` lists them.
"""
