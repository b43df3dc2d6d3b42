"""Readers of data sources: each yields the canonical dataset.

The canonical dataset has dimensions (member, time, lat, lon), lat ascending, lon 0..360, monthly
means, or means over days, or states of days; CF names and units (``psl`` Pa, ``tos`` K over the
sea, ``tas`` K, ``pr`` kg m-2 s-1).
"""

from mlda_core.climate.errors import UserError


class SourceError(UserError):
    """An input file cannot be used; the message is one sentence with the remedy."""
