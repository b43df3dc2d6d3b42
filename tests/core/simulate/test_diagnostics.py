"""What is told of a day."""

from __future__ import annotations

import numpy as np

from mlda_core.simulate.diagnostics import GAS, GRAVITY, LAPSE, on_pressure, sea_level_pressure


def test_pressure_at_sea_level_is_that_of_the_same_air_without_the_ground():
    """Air of the standard lapse rate: the reduction undoes what the ground took away, exactly."""
    height = np.linspace(-400.0, 5000.0, 60).reshape(6, 10)
    sigma = 0.95
    power = LAPSE * GAS / GRAVITY
    ground = 300.0 - LAPSE * height
    surface = 101_325.0 * (ground / 300.0) ** (1 / power)
    lowest = ground * sigma**power
    np.testing.assert_allclose(
        sea_level_pressure(surface, lowest, height, sigma), 101_325.0, rtol=1e-12
    )


def test_levels_are_interpolated_in_the_logarithm_of_pressure():
    sigma = np.array([0.1, 0.3, 0.5, 0.7, 0.95])
    surface = np.linspace(6e4, 1.03e5, 12).reshape(3, 4)
    fields = 7.0 - 3.0 * np.log(sigma[:, None, None] * surface)
    for order in (slice(None), slice(None, None, -1)):
        found = on_pressure(fields[order], surface, sigma[order], 4e4)
        np.testing.assert_allclose(found, 7.0 - 3.0 * np.log(4e4), rtol=1e-12)
    # Below the lowest level there is only that.
    found = on_pressure(fields, surface, sigma, 8.5e4)
    low = surface * 0.95 < 8.5e4
    assert low.any()
    assert not low.all()
    np.testing.assert_allclose(found[low], fields[-1][low])
    np.testing.assert_allclose(found[~low], 7.0 - 3.0 * np.log(8.5e4), rtol=1e-12)
