"""Archives of observations as they are published, and their way to the observation table.

One module reads one format, from its public documentation; :mod:`.registry` knows them all.
"""
