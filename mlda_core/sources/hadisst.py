"""HadISST 1.1, monthly: sea surface temperature on 1 degree (Met Office Hadley Centre).

Rayner et al. 2003, https://doi.org/10.1029/2002JD002670. Cells fully covered by ice hold -1000
instead of a temperature; the water below ice is at the freezing point of sea water.
"""

from __future__ import annotations

import xarray as xr

from mlda_core.sources.layout import Known, Layout, says

_ALL_ICE = -1000.0
_FREEZING = -1.8  # degC, HadISST's value in cells that are mostly ice


def _recognises(data: xr.Dataset) -> bool:
    return "sst" in data.data_vars and says(data, "hadisst")


def freeze(field: xr.DataArray) -> xr.DataArray:
    """Return sea surface temperatures, degC, with the freezing point in ice-covered cells."""
    return field.where(field != _ALL_ICE, _FREEZING)


LAYOUT = Layout(
    key="hadisst",
    title="HadISST 1.1 sea surface temperature, Met Office Hadley Centre",
    known=(Known(("sst",), "tos"),),
    recognises=_recognises,
    merge=freeze,
)
