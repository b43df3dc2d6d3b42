"""The base period of a provider's anomalies."""

from __future__ import annotations

import re

import xarray as xr

_YEARS = r"((?:1[89]|20)\d\d)\s*(?:-|\u2013|/|to|through|and)\s*((?:1[89]|20)\d\d)"
_PERIOD = re.compile(rf"(?<!\d){_YEARS}(?!\d)")
# Words before two years that denote a base period, not the period that the data cover.
_WORDS = re.compile(
    r"(?:base(?:line)?|reference|climatolog\w*|normals?|relative to|(?:departures?|anomal\w+) "
    rf"(?:\w+ )?from|with respect to|w\.?r\.?t\.?)(?:[^\d]{{0,40}}?)(?<!\d){_YEARS}(?!\d)",
    re.IGNORECASE,
)
_OWN = ("base_period", "baseline", "base_years", "climatology_period", "reference_period")
_TEXTS = ("long_name", "comment", "title", "description", "summary", "history", "source")


def stated(data: xr.Dataset, variable: str) -> str:
    """Return the base period that a file states for a variable: ``1951-1980``, or ''.

    Attributes for the base period, of the variable or the file, take precedence over titles and
    comments ("anomalies from 1951-1980", "base period: 1951-1980").

    Parameters
    ----------
    data : Dataset
        The file, opened.
    variable : str
        Its name there.
    """
    for attrs in (data[variable].attrs, data.attrs):
        for name in _OWN:
            found = _PERIOD.search(str(attrs.get(name, "")))
            if found:
                return f"{found[1]}-{found[2]}"
    for attrs in (data[variable].attrs, data.attrs):
        for name in _TEXTS:
            found = _WORDS.search(str(attrs.get(name, "")))
            if found:
                return f"{found[1]}-{found[2]}"
    return ""
