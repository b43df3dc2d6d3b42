"""Whether a variable of a daily file is a mean over days or a state, by its CF cell methods."""

from __future__ import annotations

import re

import xarray as xr

from mlda_core.climate.cf import Cell
from mlda_core.sources.layout import Known, Layout
from mlda_core.sources.places import Place

_POINT = re.compile(r"\btime\s*:\s*point\b")
_MEAN = re.compile(r"\btime\s*:\s*(mean|sum)\b")


def methods_of(field: xr.DataArray) -> str:
    """Return the ``cell_methods`` of a variable, lower case."""
    return str(field.attrs.get("cell_methods", "")).lower()


def is_point(field: xr.DataArray) -> bool:
    """Whether a variable's cell methods say that it is a state, at its time stamps."""
    return bool(_POINT.search(methods_of(field)))


def cell_of(
    known: Known, field: xr.DataArray, data: xr.Dataset, where: Place, layout: Layout
) -> Cell:
    """Return whether a variable is a mean (or sum) over days, or a state.

    Parameters
    ----------
    known : Known
        Its canonical identity.
    field, data : DataArray, Dataset
        The variable and its file, opened.
    where : Place
        Name of the file in messages.
    layout : Layout
        Of the file's provider; asked where the cell methods do not say. Without any word it is a
        mean, as it is in monthly files.

    Raises
    ------
    SourceError
        If the layout refuses it: a daily extreme, days of another time zone.
    """
    if is_point(field):
        return "point"
    if _MEAN.search(methods_of(field)) or layout.cell is None:
        return "mean"
    return layout.cell(known, field, data, where)
