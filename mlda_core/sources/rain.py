"""The period over which rain or sunshine was summed, if the units do not state it."""

from __future__ import annotations

import re
from dataclasses import replace

import xarray as xr

from mlda_core.climate.time_step import MONTH
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
    """Return the conversion of a file's variable to canonical units.

    Parameters
    ----------
    known : Known
        Its canonical identity.
    field, data : DataArray, Dataset
        The variable and its file, opened.
    where : Place
        Name of the file in messages.
    layout : Layout
        Of the file's provider.
    choices : Choices
        The user's answers.

    Raises
    ------
    SourceError
        If its units are unknown or of another quantity, or are those of an amount over an
        unknown period.
    """
    units, name = field.attrs.get("units"), str(field.name)
    if known.name not in _SUMS:
        return conversion(known, units, where, name)
    amount = (
        choices.amount
        or _from_cell_methods(field, choices)
        or _of_layout(known, field, data, layout=layout, choices=choices)
    )
    resolved = replace(known, amount=amount)
    if amount:
        return conversion(resolved, units, where, name)
    if known.name == "sund":
        conversion(replace(known, amount="day"), units, where, name)
    else:
        try:
            return conversion(resolved, units, where, name)
        except SourceError:
            conversion(replace(known, amount="day"), units, where, name)
    longer = "month" if choices.step is MONTH else "hour"
    raise SourceError(
        f"{where} has {name} in '{units}', an amount over a time that it does not say; give "
        f"--amount day or --amount {longer}."
    )


def _from_cell_methods(field: xr.DataArray, choices: Choices) -> Amount:
    """Return the period from CF cell methods: the sum of a monthly file is over the month."""
    methods = str(field.attrs.get("cell_methods", "")).lower()
    if _WITHIN_DAYS.search(methods):
        return "day"
    return choices.step.name if _SUMMED.search(methods) else ""


def _of_layout(
    known: Known, field: xr.DataArray, data: xr.Dataset, *, layout: Layout, choices: Choices
) -> Amount:
    if layout.amount is None:
        return known.amount
    return layout.amount(known, field, data, choices.step)
