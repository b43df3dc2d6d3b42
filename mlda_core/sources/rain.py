"""The time over which an amount of rain, or of sunshine, was summed, where its units do not say."""

from __future__ import annotations

import re
from dataclasses import replace

import xarray as xr

from mlda_core.sources import SourceError
from mlda_core.sources.choices import Choices
from mlda_core.sources.layout import Amount, Conversion, Known, Layout, conversion
from mlda_core.sources.places import Place

_SUMMED = re.compile(r"\btime\s*:\s*sum\b")
_WITHIN_DAYS = re.compile(r"\bsum\s+within\s+days\b")
_SUMS = ("pr", "sund")


def conversion_of(
    known: Known,
    field: xr.DataArray,
    data: xr.Dataset,
    *,
    where: Place,
    layout: Layout,
    choices: Choices,
) -> Conversion:
    """Return how a variable of a file becomes canonical.

    Parameters
    ----------
    known : Known
        What the variable is.
    field, data : DataArray, Dataset
        The variable and its file, opened.
    where : Place
        What messages call the file.
    layout : Layout
        Whose file it is.
    choices : Choices
        What the user says of it.

    Raises
    ------
    SourceError
        If its units are unknown or measure something else, or are those of an amount over a time
        that nothing tells.
    """
    units, name = field.attrs.get("units"), str(field.name)
    if known.name not in _SUMS:
        return conversion(known, units, where, name)
    amount = choices.amount or _said(field) or _of_layout(known, field, data, layout)
    told = replace(known, amount=amount)
    if amount:
        return conversion(told, units, where, name)
    if known.name == "sund":
        conversion(replace(known, amount="day"), units, where, name)
    else:
        try:
            return conversion(told, units, where, name)
        except SourceError:
            conversion(replace(known, amount="day"), units, where, name)
    raise SourceError(
        f"{where} has {name} in '{units}', an amount over a time that it does not say; give "
        "--amount day or --amount month."
    )


def _said(field: xr.DataArray) -> Amount:
    """Return the time that CF's cell methods say: a sum of a monthly file is one over the month."""
    methods = str(field.attrs.get("cell_methods", "")).lower()
    if _WITHIN_DAYS.search(methods):
        return "day"
    return "month" if _SUMMED.search(methods) else ""


def _of_layout(known: Known, field: xr.DataArray, data: xr.Dataset, layout: Layout) -> Amount:
    return known.amount if layout.amount is None else layout.amount(known, field, data)
