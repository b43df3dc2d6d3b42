"""Means over days and states, by CF cell methods."""

import numpy as np
import pytest
import xarray as xr

from mlda_core.sources import cf_dataset, era5
from mlda_core.sources.cell_methods import cell_of, is_point
from mlda_core.sources.layout import Known


@pytest.mark.parametrize(
    ("methods", "layout", "cell"),
    [
        ("time: point", cf_dataset.layout(), "point"),
        ("area: mean time: point", cf_dataset.layout(), "point"),
        ("time: mean (interval: 1 hour)", cf_dataset.layout(), "mean"),
        ("time: sum", cf_dataset.layout(), "mean"),
        ("", cf_dataset.layout(), "mean"),
        # The provider is asked where the cell methods do not say.
        ("", era5.LAYOUT, "point"),
        ("time: mean", era5.LAYOUT, "mean"),
    ],
)
def test_a_variable_is_a_mean_or_a_state(methods, layout, cell):
    attrs = {"cell_methods": methods, "GRIB_stepType": "instant"}
    field = xr.DataArray(np.zeros(1), dims="time", attrs=attrs, name="t2m")
    found = cell_of(Known(("t2m",), "tas"), field, xr.Dataset({"t2m": field}), "f.nc", layout)
    assert found == cell
    assert is_point(field) == ("point" in methods)
