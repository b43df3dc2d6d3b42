"""NOAA-CIRES-DOE Twentieth Century Reanalysis version 3, monthly ensemble means (NOAA PSL).

Slivinski et al. 2019, https://doi.org/10.1002/qj.3598. Files and their addresses: docs/data.md.
"""

from __future__ import annotations

import xarray as xr

from mlda_core.sources.layout import Known, Layout, says

# Freezing point of sea water, K: the skin temperature of sea ice is lower, and not an SST.
FREEZING = 271.35

_WORDS = ("20th century reanalysis", "twentieth century reanalysis", "20crv", "20thc_rean")


def _recognises(data: xr.Dataset) -> bool:
    return "prmsl" in data.data_vars or says(data, *_WORDS)


LAYOUT = Layout(
    key="20crv3",
    title="NOAA-CIRES-DOE Twentieth Century Reanalysis version 3, monthly ensemble mean",
    known=(
        Known(("prmsl",), "psl"),
        Known(("air",), "tas"),
        Known(("prate",), "pr"),
        Known(("sst",), "tos"),
        Known(("skt",), "tos", floor=FREEZING, sea_only=True),
    ),
    recognises=_recognises,
    begins=True,
    words=_WORDS,
)
