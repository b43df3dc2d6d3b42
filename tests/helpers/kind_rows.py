"""Rows of several kinds of observation, and what they say."""

from __future__ import annotations

import numpy as np
from scipy import stats

from mlda_core.observations.kind import Terms
from mlda_core.observations.table import read

HEAD = "variable,lat,lon,value,error_sd,kind,area\n"


def kind_rows(bundle, text, head=HEAD):
    """Read lines, all of which must be good, for July."""
    found = read(head + text, bundle, month=7)
    assert not found.rejected
    return found.table


def why_refused(bundle, line):
    """Return why a line is refused, behind a good row that must be kept."""
    reading = read(f"{HEAD}tas,40,10,1,,,\n{line}\n", bundle, month=7)
    assert len(reading.table) == 1
    (rejected,) = reading.rejected
    assert rejected.row == 2
    return rejected.reason


def terms(kind, value, sd=0.4):
    """What rows of a kind say; classes by normal quantiles."""
    value = np.asarray(value, float)
    parameter = np.full(value.size, kind.parameter)
    if kind.classes:
        low, high = (stats.norm.ppf(p) for p in kind.probabilities(value, parameter))
    else:
        low, high = kind.interval(value)
    said = np.where(np.isnan(low), value, np.nan)
    return Terms(said, low, high, np.full(value.size, sd), parameter)
