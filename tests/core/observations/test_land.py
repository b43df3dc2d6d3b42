"""Land and sea at places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlda_core.observations.land import cell_of, natural_earth, on_land


def test_the_models_land_is_that_of_natural_earth_but_for_the_coasts(bundle, monkeypatch):
    lat, lon = (a.ravel() for a in np.meshgrid(bundle.grid.lat[4:], bundle.grid.lon, indexing="ij"))
    model = on_land(bundle, lat, lon)
    # The same question of a bundle that has no variable of the sea.
    others = tuple(replace(v, domain="globe") for v in bundle.variables)
    monkeypatch.setattr(bundle.normaliser.__class__, "variables", others, raising=False)
    monkeypatch.setitem(bundle.normaliser.__dict__, "variables", others)
    mapped = on_land(bundle, lat, lon)
    assert 0.25 < mapped.mean() < 0.4
    assert (model == mapped).mean() > 0.88


@pytest.mark.parametrize(
    ("lat", "lon", "land"),
    [(48.9, 2.3, True), (0, 190, False), (-80, 0, True), (42, 51, False), (-75, 179.9, False)],
)
def test_natural_earth_knows_land_seas_and_the_caspian(lat, lon, land):
    import shapely

    assert bool(shapely.contains_xy(natural_earth(), lon if lon <= 180 else lon - 360, lat)) == land


def test_every_place_is_in_the_cell_around_it(bundle):
    grid = bundle.grid
    lat, lon = (a.ravel() for a in np.meshgrid(grid.lat, grid.lon, indexing="ij"))
    for turn in (0.0, 360.0, -720.0):
        row, column = cell_of(bundle, lat, lon + turn)
        np.testing.assert_array_equal(grid.lat[row], lat)
        np.testing.assert_array_equal(grid.lon[column], lon)
    # Just west of Greenwich is the first column's half, and a pole is in the last row.
    row, column = cell_of(bundle, np.array([90.0, -90.0]), np.array([359.9, 0.1]))
    assert row.tolist() == [grid.lat.size - 1, 0]
    assert column.tolist() == [0, 0]
