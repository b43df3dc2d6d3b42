"""Datasets draw themselves."""

import holoviews as hv
import numpy as np
import pytest
import xarray as xr

import mlda_core.plotting  # noqa: F401 - registers the accessor
from mlda_core.climate.cf import coordinates
from mlda_core.plotting import Cells
from mlda_core.plotting.look import PlotError

DIMS = ("time", "lat", "lon")


@pytest.fixture
def dataset(grid, field):
    months = ["1997-11", "1997-12"]
    twice = np.stack([field, field + 1.0])
    return xr.Dataset(
        {
            "tas": (DIMS, twice + 280.0, {"units": "K", "long_name": "2 m air temperature"}),
            "psl_anomaly": (DIMS, 100 * twice, {"units": "Pa", "long_name": "Pressure, anomaly"}),
            "psl_spread": (DIMS, 100 + 0 * twice, {"units": "Pa", "long_name": "Spread"}),
            "zg500": (DIMS, 5500 + 10 * twice, {"units": "m", "long_name": "500 hPa height"}),
            "cost": ("time", [1.0, 2.0]),
        },
        coords=coordinates(grid, months),
    )


def drawn(layout):
    found = {}
    for plot in layout:
        (cells,) = plot.traverse(lambda x: x, [Cells])
        clim = hv.Store.lookup_options("bokeh", cells, "plot").kwargs["clim"]
        found[cells.vdims[0].pprint_label] = (cells.dimension_values("value", flat=False), clim)
    return found


def test_known_variables_are_shown_in_display_units(dataset, field):
    found = drawn(dataset.mlda.plot())
    values, clim = found["2 m air temperature (°C)"]
    assert np.allclose(values, field + 280.0 - 273.15, equal_nan=True)
    assert clim == (-50.0, 40.0)
    values, clim = found["Pressure, anomaly (hPa)"]
    assert np.allclose(values, field, equal_nan=True)
    assert clim == (-12.0, 12.0)
    assert found["Spread (hPa)"][1] == (0.0, 6.0)
    assert len(found) == 4


def test_unknown_variables_are_shown_in_their_own_units_by_their_range(dataset):
    values, (low, high) = drawn(dataset.mlda.plot(["zg500"]))["500 hPa height (m)"]
    assert 5480 <= low < 5481
    assert 5519 < high <= 5520
    assert np.nanmax(values) == 5520


def test_variables_of_a_bundle_win(dataset, state):
    from dataclasses import replace

    mine = replace(state.variables[0], anomaly_limit=3.0)
    found = drawn(dataset.mlda.plot(["psl_anomaly"], variables=[mine]))
    assert found["Pressure, anomaly (hPa)"][1] == (-3.0, 3.0)


@pytest.mark.parametrize("time", [1, "1997-12"])
def test_a_time_is_chosen_by_position_or_month(dataset, field, time):
    values, _ = drawn(dataset.mlda.plot(["psl_anomaly"], time=time))["Pressure, anomaly (hPa)"]
    assert np.allclose(values, field + 1.0, equal_nan=True)


def test_a_decoded_anomaly_is_shown_as_one(analysis):
    bundle = analysis.bundle
    data = bundle.decode(analysis.z, "1982-07", anomalies=True)
    values, clim = drawn(data.mlda.plot(["tas"]))["2 m air temperature anomaly (K)"]
    assert clim == (-5.0, 5.0)
    assert np.allclose(values, bundle.decode_anomalies(analysis.z, 7)[2], atol=1e-3)


def test_latitudes_may_run_southward(dataset):
    turned = drawn(dataset.isel(lat=slice(None, None, -1)).mlda.plot(["tas"]))
    assert np.array_equal(
        *(found["2 m air temperature (°C)"][0] for found in (turned, drawn(dataset.mlda.plot()))),
        equal_nan=True,
    )


def test_other_units_are_never_read_as_the_canonical_ones(dataset):
    dataset["tas"].attrs["units"] = "degC"
    values, _ = drawn(dataset.mlda.plot(["tas"]))["2 m air temperature (°C)"]
    assert np.nanmax(values) == 282.0


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"time": 7}, "no time 7; give a position below 2"),
        ({"time": "1850-01"}, "no time 1850-01"),
        ({"time": "spring"}, "no time spring"),
        ({"time": "1997"}, "has 2 times in 1997"),
        ({"names": ["cost"]}, "no map 'cost'; it has tas, psl_anomaly"),
    ],
)
def test_what_is_not_there_is_refused(dataset, given, sentence):
    with pytest.raises(PlotError, match=sentence):
        dataset.mlda.plot(**given)


def test_a_dataset_without_maps_is_refused(dataset):
    with pytest.raises(PlotError, match="no variable of latitude and longitude"):
        dataset[["cost"]].assign_coords(lat=[0.0, 1.0], lon=[0.0, 1.0]).mlda.plot()
    with pytest.raises(PlotError, match="no coordinates 'lat' and 'lon'"):
        dataset.rename(lat="y").mlda.plot()
