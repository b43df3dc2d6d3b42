"""States of a bundle as CF datasets."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from climate import make_climate

from mlda_core.bundle.datasets import add_fields, checked_state, dataset_of, seasons_of_dates
from mlda_core.climate.cf import coordinates
from mlda_core.climate.errors import StateError
from mlda_core.climate.grid import Grid
from mlda_core.climate.variables import DEFAULTS


def one_member() -> xr.Dataset:
    return make_climate().isel(member=0)


def in_celsius() -> xr.Dataset:
    state = one_member()
    state["tas"].attrs["units"] = "degC"
    return state


def test_states_that_say_less_or_tell_time_otherwise_are_taken(made):
    bundle, _, _ = made
    source = one_member().isel(time=slice(0, 3))
    wanted = bundle.encode(source)["z"]
    bare = source.copy()
    for name in bare.data_vars:
        bare[name].attrs = {}
    np.testing.assert_array_equal(bundle.encode(bare)["z"], wanted)
    turned = source.transpose("lon", "time", "lat").isel(time=1)
    np.testing.assert_allclose(bundle.encode(turned)["z"][0], wanted[1], atol=1e-6)
    other = source.convert_calendar("360_day", align_on="date")
    np.testing.assert_array_equal(bundle.encode(other)["z"].values, wanted.values)


def test_full_fields_and_anomalies_say_what_they_are(made):
    bundle, _, _ = made
    months = ["1982-07", "1983-01"]
    fields = np.ones((2, *bundle.mask.shape), np.float32)
    full, anomalies = (
        dataset_of(
            fields, months, bundle.variables, bundle.grid, source="made up", base_period=period
        )
        for period in ("", "1979-1981")
    )
    assert full.attrs["source"] == "made up"
    np.testing.assert_array_equal(full["time"].values.astype("datetime64[M]").astype(str), months)
    for v in bundle.variables:
        assert full[v.name].attrs["standard_name"] == v.standard_name
        assert "standard_name" not in anomalies[v.name].attrs
        assert anomalies[v.name].attrs["base_period"] == "1979-1981"
        assert anomalies[v.name].attrs["long_name"].endswith("anomaly")
        for data, offset in ((full, v.offset), (anomalies, 0.0)):
            assert data[v.name].attrs["units"] == v.units
            np.testing.assert_allclose(data[v.name], (1.0 - offset) / v.scale, rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: one_member().drop_vars("pr"), "no variable 'pr'"),
        (
            lambda: make_climate().isel(member=0, lat=slice(0, 4)),
            "not on the bundle's grid",
        ),
        (lambda: one_member().drop_vars("time"), "no time coordinate"),
        (make_climate, "psl with a dimension 'member'; choose one of it"),
        (lambda: one_member().rename(lat="latitude"), "rename its latitude to 'lat'"),
        (lambda: one_member().rename(lon="longitude"), "its longitude to 'lon'"),
        (in_celsius, "tas in 'degC', not 'K'; convert it"),
        (
            lambda: one_member().assign_coords(time=np.arange(120)),
            "does not hold dates",
        ),
        (lambda: one_member().assign(tas=lambda d: d["tas"][0]), "give it on"),
    ],
)
def test_states_that_do_not_fit_are_refused_in_words(made, make, words):
    bundle, _, _ = made
    with pytest.raises(StateError, match=words):
        seasons_of_dates(
            checked_state(make(), bundle.variables, bundle.grid)["time"], bundle.seasons
        )


def test_fields_are_added_in_the_units_of_the_file_or_in_their_own():
    psl, tas = DEFAULTS["psl"], DEFAULTS["tas"]
    grid = Grid(np.array([-45.0, 45.0]), np.array([0.0, 120.0, 240.0]))
    data = xr.Dataset(coords=coordinates(grid, ["1997-12"]))
    fields = np.stack([np.full(grid.shape, 2.0), np.full(grid.shape, 3.0)])
    add_fields(data, "response", fields, (psl, tas), "response", base_period="1981-2010")
    add_fields(data, "share", fields, (psl, tas), "share", units=("%", "%"))
    said = {"standard_name": "standard_error"}
    add_fields(data, "spread", fields, (psl, tas), "spread", **said)
    assert data["psl_response"].dims == ("time", "lat", "lon")
    np.testing.assert_array_equal(data["psl_response"], np.float32(2.0 / psl.scale))
    assert data["psl_response"].attrs["units"] == psl.units
    assert data["tas_response"].attrs["base_period"] == "1981-2010"
    np.testing.assert_array_equal(data["psl_share"], 2.0)
    assert data["psl_share"].attrs["units"] == "%"
    assert data["tas_spread"].attrs["standard_name"] == f"{tas.standard_name} standard_error"
