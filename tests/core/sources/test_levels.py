"""Pressure levels of a variable."""

import numpy as np
import pytest
import xarray as xr
from refusals import one_sentence

from mlda_core.sources import SourceError
from mlda_core.sources.layout import Known
from mlda_core.sources.levels import at_level

Z = Known(("z",), "zg500", level=50_000.0)


def column(levels, units, name="pressure_level"):
    values = np.arange(2.0 * len(levels)).reshape(2, -1)
    return xr.DataArray(
        values, {name: (name, np.asarray(levels), {"units": units})}, ("time", name), name="z"
    )


@pytest.mark.parametrize(
    ("levels", "units", "name"),
    [
        ([850.0, 500.0], "hPa", "pressure_level"),
        ([850, 500], "millibars", "level"),
        ([85_000.0, 50_000.0], "Pa", "plev"),
        ([850.0, 500.0], "hPa", "isobaricInhPa"),
    ],
)
def test_the_level_is_found_whatever_its_name_and_units(levels, units, name):
    field, at = at_level(column(levels, units, name), Z, "f.nc")
    assert field.dims == ("time",)
    np.testing.assert_array_equal(field, [1.0, 3.0])
    assert at == (name, 1)


def test_a_level_chosen_before_and_a_variable_without_one():
    chosen = column([850.0, 500.0], "hPa").isel(pressure_level=1)
    assert at_level(chosen, Z, "f.nc")[1] is None
    surface = xr.DataArray(np.zeros(2), dims="time", name="msl")
    assert at_level(surface, Known(("msl",), "psl"), "f.nc") == (surface, None)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (column([850.0, 700.0], "hPa"), "f.nc has z on 850, 700 hPa, and zg500 is on 500 hPa;"),
        (column([850.0, 500.0], "hPa").isel(pressure_level=0), "z on 850 hPa, and zg500"),
        (column([1, 2], "1"), "z on no hPa"),
    ],
)
def test_another_level_is_refused(field, said):
    with pytest.raises(SourceError) as caught:
        at_level(field, Z, "f.nc")
    assert said in one_sentence(caught.value)
