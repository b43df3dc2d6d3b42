"""The patches of the GFMIP protocol: where they stand, their shape, and what they cover."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.climate.grid import Grid
from mlda_core.perturbation.gfmip import (
    AMPLITUDE,
    nearest,
    of_key,
    patches_at_sea,
    protocol_patches,
)
from mlda_core.perturbation.sst_patches import Patch, PerturbationError

FINE = Grid(np.arange(-88.0, 89.0, 2.0), np.arange(0.0, 360.0, 2.5))


def test_the_protocol_has_109_patches_half_a_width_apart():
    patches = protocol_patches()
    assert len(patches) == len({patch.key for patch in patches}) == 109
    rows = {}
    for patch in patches:
        rows.setdefault(patch.lat, []).append(patch.lon)
    assert sorted(rows) == list(range(-80, 81, 10))
    assert rows[0.0][0] == rows[-20.0][0] == 180.0
    assert rows[10.0][0] == rows[-30.0][0] == 160.0
    for lat in (-30.0, 0.0, 10.0):
        assert np.allclose(np.diff(sorted(rows[lat])), 40.0)
    # Further from the equator as wide in kilometres as there.
    wide = next(patch for patch in patches if patch.lat == -60.0)
    assert wide.half_lon == pytest.approx(80.0)
    assert wide.half_lat == 10.0


@pytest.mark.parametrize("lat", [0.0, 30.0, -50.0, 60.0])
def test_a_patch_is_the_squared_cosine_of_the_protocol(lat):
    for patch in protocol_patches():
        if patch.lat != lat:
            continue
        north = (FINE.lat - patch.lat) / patch.half_lat
        east = ((FINE.lon - patch.lon + 180.0) % 360.0 - 180.0) / patch.half_lon
        parts = [np.where(np.abs(x) < 1, np.cos(0.5 * np.pi * x) ** 2, 0.0) for x in (north, east)]
        assert np.allclose(patch.patch(1.0).weights(FINE), np.outer(*parts), atol=1e-9)


def test_the_patches_of_the_tropics_together_are_a_uniform_change():
    total = sum(patch.patch(1.0).weights(FINE) for patch in protocol_patches())
    assert np.allclose(total[np.abs(FINE.lat) <= 30.0], 1.0)


def test_a_patch_is_like_any_other_change_of_the_sea():
    patch = of_key("10N_160E").patch()
    assert patch.kelvin == AMPLITUDE == 2.0
    assert "10°N 160°E" in patch.label
    assert Patch.from_dict(patch.to_dict()) == patch
    # An ordinary box is still called by its limits.
    assert Patch(box=(5.0, 15.0, 140.0, 180.0)).where == "5°N–15°N, 140°E–180°"


def test_patches_without_sea_are_left_out():
    west = (FINE.lon < 180.0) & np.ones((FINE.lat.size, 1), bool)
    found = {patch.key for patch in patches_at_sea(FINE, west)}
    assert "0N_100E" in found
    assert "0N_260E" not in found
    # One that reaches the sea with its edge has sea; with a hundredth of its weight it has not.
    assert "0N_180E" in found
    assert not patches_at_sea(FINE, np.zeros(FINE.shape, bool))


def test_the_nearest_patch_is_found_across_the_dateline():
    patches = protocol_patches()
    assert nearest(1.0, 177.0, patches).key == "0N_180E"
    assert nearest(-1.0, -177.0, patches).key == "0N_180E"
    assert nearest(9.0, 158.0, patches).key == "10N_160E"
    with pytest.raises(PerturbationError, match="No patch"):
        nearest(40.0, 100.0, tuple(p for p in patches if p.lat == 0.0))
    with pytest.raises(PerturbationError, match="no patch '5N'"):
        of_key("5N")
