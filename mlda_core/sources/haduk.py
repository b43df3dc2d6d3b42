"""HadUK-Grid, monthly: gridded observations of the United Kingdom (Met Office, CEDA archive).

Hollis et al. 2019, https://doi.org/10.1002/gdj3.78. The Ordnance Survey's transverse Mercator
grid is kept: fields on (y, x) with latitude and longitude of every cell.
"""

from __future__ import annotations

import xarray as xr

from mlda_core.sources.layout import Known, Layout

X, Y = "projection_x_coordinate", "projection_y_coordinate"


def _recognises(data: xr.Dataset) -> bool:
    return {X, Y} <= set(data.dims) and "haduk" in str(data.attrs.get("source", "")).lower()


LAYOUT = Layout(
    key="haduk",
    title="HadUK-Grid, monthly",
    known=(
        Known(("tas",), "tas"),
        Known(("rainfall",), "pr", amount="month"),
        Known(("sun",), "sund", amount="month"),
    ),
    recognises=_recognises,
    projected=True,
)
