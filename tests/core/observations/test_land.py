"""Land and sea at places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mlda_core.observations.land import natural_earth, on_land


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
