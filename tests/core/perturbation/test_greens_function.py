"""Sensitivities regressed from runs: unbiased at their resolution, with errors that are right."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.perturbation.greens_function import agreement, regress, resolution

PATCHES, MONTHS = 12, 240


def made(seed, *, noise=1.0, months=MONTHS, patches=PATCHES):
    """Predictors of neighbouring patches, true sensitivities, and a target with noise."""
    rng = np.random.default_rng(seed)
    blur = np.exp(-0.5 * np.subtract.outer(np.arange(patches), np.arange(patches)) ** 2)
    x = rng.standard_normal((months, patches)) @ blur
    true = 0.7 + 0.5 * rng.standard_normal(patches)
    y = x @ true + noise * rng.standard_normal(months)
    return x - x.mean(axis=0), true, y - y.mean()


def test_without_noise_the_truth_is_found():
    x, true, y = made(1, noise=1e-6)
    found = regress(x, y)
    assert np.allclose(found.sensitivity, true, atol=1e-2)
    assert np.allclose(found.resolution, np.eye(PATCHES), atol=2e-2)


def test_the_estimate_is_the_truth_at_its_resolution():
    x, true, _ = made(2)
    found = regress(x, x @ true, ratio=0.01)
    assert np.allclose(found.sensitivity, found.resolution @ true, atol=1e-9)
    # The common mean is not shrunk.
    same = regress(x, x @ np.ones(PATCHES), ratio=1e-6)
    assert np.allclose(same.sensitivity, 1.0)


def test_its_errors_are_as_large_as_they_are_said_to_be():
    off = []
    for seed in range(20):
        # As many patches and months as of the GCM: of a dozen patches the prior's variance is not
        # known well, and its error is in no standard error.
        x, true, y = made(seed, noise=3.0, months=840, patches=108)
        found = regress(x, y)
        off.append((found.sensitivity - true) / found.standard_error)
    assert np.sqrt(np.mean(np.square(off))) == pytest.approx(1.0, abs=0.15)


def test_the_truth_has_amplitude_one_however_noisy_the_runs_are():
    amplitudes, doubled = [], []
    for seed in range(80):
        x, true, y = made(seed, noise=2.0, months=2 * MONTHS)
        whole = regress(x, y)
        halves = [regress(x[i::2], y[i::2], ratio=0.5 * whole.ratio) for i in (0, 1)]
        weights = np.ones(PATCHES)
        amplitudes.append(agreement(true, whole, tuple(halves), weights).amplitude)
        doubled.append(agreement(2 * true, whole, tuple(halves), weights))
    assert np.median(amplitudes) == pytest.approx(1.0, abs=0.05)
    assert np.median([one.amplitude for one in doubled]) == pytest.approx(2.0, abs=0.1)
    # The correlation does not depend on the amplitude.
    assert all(0.5 < one.correlation <= 1.0 for one in doubled)


@pytest.mark.parametrize("ratio", [1e-3, 1.0, 1e6])
def test_the_resolution_follows_from_the_products_of_the_predictors(ratio):
    x, _, y = made(3)
    expected = regress(x, y, ratio=ratio).resolution
    np.testing.assert_allclose(resolution(x.T @ x, ratio), expected, atol=1e-9)
