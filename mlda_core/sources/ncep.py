"""NCEP/NCAR Reanalysis 1, monthly means (NOAA PSL), with the sea of ERSST version 5.

Kalnay et al. 1996, https://doi.org/10.1175/1520-0477(1996)077<0437:TNYRP>2.0.CO;2; Huang et al.
2017, https://doi.org/10.1175/JCLI-D-16-0836.1. Files and their addresses: docs/data.md.
"""

from __future__ import annotations

import xarray as xr

from mlda_core.sources.layout import Known, Layout, says

_WORDS = ("ncep reanalysis", "ncep/ncar", "ncep-ncar")
_SEA = ("extended reconstructed", "ersst")


def is_ersst(data: xr.Dataset) -> bool:
    """Whether a file is the SST of ERSST, which can accompany any reanalysis."""
    return "sst" in data.data_vars and says(data, *_SEA)


def _recognises(data: xr.Dataset) -> bool:
    return "slp" in data.data_vars or says(data, *_WORDS)


LAYOUT = Layout(
    key="ncep",
    title="NCEP/NCAR Reanalysis 1, monthly means",
    known=(
        Known(("slp",), "psl"),
        Known(("air",), "tas"),
        Known(("prate",), "pr"),
    ),
    recognises=_recognises,
    begins=True,
    words=_WORDS,
)

ERSST = Layout(
    key="ersst",
    title="NOAA Extended Reconstructed Sea Surface Temperature version 5",
    known=(Known(("sst",), "tos"),),
    recognises=is_ersst,
    begins=True,
    words=_SEA,
)
