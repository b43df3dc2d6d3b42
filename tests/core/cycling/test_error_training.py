"""Learnt models of background errors: their training."""

import numpy as np
import pytest
import torch

from mlda_core.cycling.bundle_case import zones_of
from mlda_core.cycling.error_training import (
    error_data,
    scaled_to,
)


def test_errors_of_all_sizes_are_in_units_of_their_spread(daily, found):
    bundle, data = daily
    made = error_data(bundle, data, found)
    held = made.observed.in_split("validation")
    assert len(held) == 2 * len(found[10].held)
    half = len(held) // 2
    np.testing.assert_allclose(held.x[:half], held.x[half:], rtol=1e-4, atol=1e-5)
    square = np.square(held.x[:half].reshape(half, -1), dtype=np.float64).mean(axis=0)
    zones = zones_of(bundle)
    mean = np.bincount(zones, square) / np.bincount(zones)
    np.testing.assert_allclose(mean, 1.0, rtol=1e-4)


def test_errors_are_scaled_to_the_size_of_others(daily):
    bundle, data = daily
    flat = data.train.x.reshape(len(data.train), -1)
    made = scaled_to(bundle, 3 * flat, 0.5 * flat)
    np.testing.assert_allclose(made, 0.5 * flat, rtol=1e-4, atol=1e-6)


@pytest.mark.slow
def test_codes_and_rest_together_are_as_large_as_the_errors(daily, found, models):
    bundle, _ = daily
    for size, one in found.items():
        model = models.of(bundle, size)
        np.testing.assert_allclose(model.factor, one.factor)
        slope = np.mean([np.square(model.slope(m)).sum(axis=0) for m in range(1, 13)], axis=0)
        made = (slope + model.rest.variance).mean()
        assert made == pytest.approx(np.square(one.held).mean(), rel=0.25)
        # Codes tell a part that is theirs.
        assert model.rest.variance.mean() < 0.9 * made
    spreads = [models.of(bundle, size).spread.mean() for size in (10, 20, 40)]
    assert spreads[0] > spreads[1] > spreads[2]


@pytest.mark.slow
def test_a_flow_bends_the_codes_before_their_decoder(daily, models):
    bundle, _ = daily
    flow = models.of(bundle, 10).bent("flow")
    base = torch.zeros(2, flow.n_latent, dtype=torch.float64)
    base[1, 0] = 1e-2
    with torch.no_grad():
        none, moved = flow.decode(base, 3).numpy()
        codes = flow.prior("flow").transport(3).forward(base.float())
        plain = models.of(bundle, 10).decode(codes.double(), 3).numpy()
    np.testing.assert_allclose(moved, plain[1], atol=1e-6)
    slope = flow.slope(3)[0]
    assert np.abs((moved - none) / 1e-2 - slope).max() < 0.1 * np.abs(slope).max()
