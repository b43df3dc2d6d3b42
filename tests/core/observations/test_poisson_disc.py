"""Random places with a distance between them."""

from __future__ import annotations

import numpy as np
import pytest
from network_sites import distances, sites

from mlda_core.climate.regions import Region
from mlda_core.climate.sphere import EARTH_RADIUS_KM, lat_lon
from mlda_core.observations.networks import NetworkSpec, places
from mlda_core.observations.poisson_disc import NetworkError, poisson_disc


def nearest(lat, lon):
    gaps = distances(lat, lon)
    np.fill_diagonal(gaps, np.inf)
    return gaps.min(axis=1)


@pytest.mark.parametrize("count", [1, 2, 10, 30, 100, 300, 1000])
def test_exactly_as_many_stations_as_asked_and_none_close_together(bundle, count):
    found = places(NetworkSpec("stations", count=count), bundle)
    assert found["variable"].value_counts().to_dict() == {"psl": count, "tas": count}
    if count < 2:
        return
    gaps = nearest(*(sites(found)[k].to_numpy() for k in ("lat", "lon")))
    # A hexagonal lattice of as many places would have this distance; thrown ones reach 0.7 of it.
    lattice = EARTH_RADIUS_KM * np.sqrt(8 * np.pi / np.sqrt(3) / count)
    assert gaps.min() > (0.6 * lattice if count > 2 else 5000)


@pytest.mark.slow
@pytest.mark.parametrize("spacing", [400.0, 1500.0])
def test_stations_at_a_spacing_leave_no_gap_for_another(bundle, spacing):
    found = sites(places(NetworkSpec("stations", spacing_km=spacing, seed=3), bundle))
    lat, lon = found["lat"].to_numpy(), found["lon"].to_numpy()
    assert nearest(lat, lon).min() >= spacing * (1 - 1e-9)
    rng = np.random.default_rng(0)
    points = rng.standard_normal((2000, 3))
    north, east = lat_lon(points / np.linalg.norm(points, axis=1, keepdims=True))
    to_any = distances(np.r_[north, lat], np.r_[east, lon])[:2000, 2000:].min(axis=1)
    # Maximal but for the last few darts.
    assert (to_any < spacing).mean() > 0.98


def test_stations_are_even_over_the_sphere(bundle):
    found = sites(places(NetworkSpec("stations", count=1000), bundle))
    # As many in each tenth of the sphere's area from pole to pole, give or take a few.
    bands = np.floor((np.sin(np.radians(found["lat"])) + 1) * 5).clip(0, 9)
    assert np.bincount(bands.astype(int)).min() > 80
    quarters = np.bincount((found["lon"] // 90).astype(int))
    assert quarters.min() > 210


def northern(lat, lon):
    return np.asarray(lat) > 0


def test_places_lie_where_they_may_and_as_far_apart_as_asked():
    box = Region("box", -30, 30, 340, 40)
    points = poisson_disc(northern, box, spacing_km=400.0, seed=1)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1)
    lat, lon = lat_lon(points)
    assert (northern(lat, lon) & (lat <= 30)).all()
    assert ((lon >= 340) | (lon <= 40)).all()
    assert nearest(lat, lon).min() >= 400 * (1 - 1e-9)
    assert len(poisson_disc(northern, box, count=17, seed=1)) == 17


def test_places_that_cannot_be_are_refused_with_the_remedy():
    with pytest.raises(NetworkError, match=r"nowhere in the region.*choose another domain"):
        poisson_disc(northern, Region("south", -90, -10, 0, 360), count=5)
    with pytest.raises(NetworkError, match=r"spacing of 60 km makes about \d+ stations.*widen it"):
        poisson_disc(northern, spacing_km=60.0)
