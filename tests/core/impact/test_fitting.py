"""Fit of an ensemble of perceptrons."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from impact_series import QUICK

from mlda_core.impact.fitting import Training, fit_weights
from mlda_core.impact.head import ImpactError, Scale, Transform, inputs_of
from mlda_core.impact.samples import Samples


def months_of(n, seed, slope):
    """Months whose value is a slope times the first of two latents, and noise."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 1, 2))
    values = slope * z[:, 0, 0] + 0.3 * rng.standard_normal(n)
    return Samples(z, np.full_like(z, 0.05), 1 + np.arange(n) % 12, np.arange(n) // 12, values)


@pytest.fixture(scope="module")
def scale():
    return Scale(Transform(1.0, 0.0, False), np.zeros(12), np.ones(12))


@pytest.mark.parametrize("slope", [0.0, 1.5])
def test_a_line_is_found_where_there_is_one_and_climatology_kept_where_not(scale, slope):
    training = replace(QUICK, n_latent=2)
    weights, loss = fit_weights(months_of(240, 0, slope), months_of(60, 1, slope), scale, training)
    other = months_of(60, 2, slope)
    centre, spread = weights(inputs_of(other.z, other.calendar, 2))
    missed = np.sqrt(((centre - other.values) ** 2).mean())
    assert missed < 0.5
    assert 0.2 < np.mean(spread) < 0.6
    # That of a normal distribution of the noise, in expectation .17.
    assert 0.12 < loss < 0.3


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"members": 0}, "'members' is 0; give at least 1"),
        ({"dropout": 1.0}, "drops less than all"),
        ({"n_latent": -1}, "latents from 1 on"),
        ({"memory": 25}, "within 0 to 24"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(ImpactError, match=words):
        Training(**wrong)
