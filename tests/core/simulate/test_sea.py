"""The sea of a simulation."""

from __future__ import annotations

import numpy as np
import pytest
from simulated import FIRST, LAST, LAT, LON

from mlda_core.perturbation.sst_patches import Patch
from mlda_core.simulate import SimulationError
from mlda_core.simulate.sea import Sea


def test_the_sea_is_climatology_and_anomaly_where_there_is_no_ice(boundary):
    made = Sea(boundary).surface(1982)
    assert [str(t)[:10] for t in made["time"].values[[0, 1, -1]]] == [
        "1981-12-16",
        "1982-01-16",
        "1983-01-16",
    ]
    # Half of a month lies before its stamp.
    assert str(made["time"].values[2])[:16] == "1982-02-15T00:00"
    assert made["sst"].dims == ("lon", "lat", "time")
    sea = made["sst"].transpose("time", "lat", "lon").values
    warm = np.abs(LAT) < 65
    expected = boundary.field("sst")[[11, *range(12), 0]] + boundary.anomalies[23:37]
    np.testing.assert_allclose(sea[:, warm], expected[:, warm], rtol=1e-6)
    np.testing.assert_allclose(sea[:, ~warm], 250.0)
    np.testing.assert_array_equal(made["stl"].isel(time=0), made["stl"].isel(time=12))


def test_before_the_first_anomaly_and_after_the_last_they_are_held(boundary):
    before, after = (Sea(boundary).surface(y)["sst"] for y in (FIRST - 1, LAST))
    climatology = boundary.field("sst")
    row = int(np.flatnonzero(LAT == 0)[0])
    for month in (7, 12):
        expected = climatology[month - 1, row] + boundary.anomalies[0, row]
        np.testing.assert_allclose(before.isel(time=month, lat=row), expected, rtol=1e-6)
    expected = climatology[0, row] + boundary.anomalies[-1, row]
    np.testing.assert_allclose(after.isel(time=13, lat=row), expected, rtol=1e-6)


def test_every_year_of_a_climatology_is_alike(boundary):
    one, other = (Sea(boundary, "climatology").surface(y)["sst"].values for y in (1982, 2550))
    np.testing.assert_array_equal(one, other)
    Sea(boundary, "climatology").check_years(1, 9000)


def test_a_change_warms_the_open_sea_and_nothing_under_ice(boundary):
    patches = [Patch.parse("globe:+1K"), Patch.parse("-10:10:100:200:+2K")]
    plain, warm = (Sea(boundary, "observed", p).surface(1983)["sst"] for p in ((), patches))
    change = (warm - plain).transpose("time", "lat", "lon").values
    assert np.abs(change[:, np.abs(LAT) > 65]).max() == 0
    inside = change[:, LAT == 0][..., np.abs(LON - 150) < 1]
    np.testing.assert_allclose(inside, 3.0, atol=1e-4)
    outside = change[:, LAT == 30][..., np.abs(LON - 300) < 1]
    np.testing.assert_allclose(outside, 1.0, atol=1e-4)


def test_the_sea_of_a_file_is_what_the_model_saw(boundary):
    sea = Sea(boundary, "climatology")
    found = sea.monthly(sea.surface(1983), 1983)
    assert np.isnan(found[:, :, 3]).all()
    assert np.isfinite(np.delete(found, 3, axis=2)).all()
    np.testing.assert_allclose(np.delete(found[:, np.abs(LAT) > 65], 3, axis=2), 271.4)
    # Means of straight lines between the middles of months: near the month's own value.
    expected = boundary.field("sst")[:, LAT == 20]
    np.testing.assert_allclose(
        np.delete(found[:, LAT == 20], 3, axis=2), np.delete(expected, 3, axis=2), atol=0.1
    )


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("real", (), "no sea 'real'; use observed or climatology."),
        ("observed", ("80:90:0:90:+1K",), "touches no open sea in any month"),
        ("observed", ("globe:+12K", "tropics:+12K"), "move the sea by 24 K; at most 20 K"),
    ],
)
def test_what_cannot_be_a_sea_is_refused(boundary, kind, changes, words):
    with pytest.raises(SimulationError, match=words):
        Sea(boundary, kind, [Patch.parse(c) for c in changes])


def test_years_without_an_observed_sea_are_refused(boundary):
    Sea(boundary).check_years(FIRST, LAST)
    for years in ((FIRST - 1, FIRST), (LAST, LAST + 1)):
        with pytest.raises(SimulationError, match="is there for 1980-1984; choose --years of them"):
            Sea(boundary).check_years(*years)
