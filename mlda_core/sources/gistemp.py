"""GISTEMP version 4: anomalies of the surface temperature from 1951-1980 (NASA GISS).

Lenssen et al. 2019, https://doi.org/10.1029/2018JD029522. Air temperature over land and ice, sea
surface temperature elsewhere, smoothed over 1200 km (or 250), on 2 degrees, missing where no
station or ship was near enough. Files and their addresses: docs/data.md.
"""

from __future__ import annotations

import re

import xarray as xr

from mlda_core.sources.layout import Known, Layout, says

# Copies decoded from images have 255 levels and are clipped at the ends of the colour scale.
_CLIPPED = re.compile(r"clipped at \+-\s*([0-9.]+)\s*K")
_LEVELS = 254


def _recognises(data: xr.Dataset) -> bool:
    return "tempanomaly" in data.data_vars and says(data, "gistemp", "giss")


def _limits(data: xr.Dataset) -> tuple[float, float] | None:
    """Return the range without the two outermost levels, for a copy marked as clipped."""
    found = _CLIPPED.search(str(data.attrs.get("comment", "")))
    if not found:
        return None
    end = float(found[1])
    inner = end - 1.25 * 2 * end / _LEVELS
    return -inner, inner


LAYOUT = Layout(
    key="gistemp",
    title="GISTEMP v4 surface temperature anomaly from 1951-1980, NASA GISS",
    known=(Known(("tempanomaly",), "tasa"),),
    recognises=_recognises,
    limits=_limits,
    base_period="1951-1980",
)
