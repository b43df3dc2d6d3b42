"""From standardised anomalies to display units."""

from __future__ import annotations

import numpy as np
import pytest

from mlda_core.assimilation import physical_units


def plain_rows(bundle):
    """Variables that are standardised by a spread alone."""
    rows = [i for i, v in enumerate(bundle.variables) if v.transform == "none"]
    assert 0 < len(rows) < len(bundle.variables)
    return rows


def test_without_a_transform_both_are_multiples_of_the_local_spread(linear):
    rows, shape = plain_rows(linear), linear.mask.shape
    local = linear.normaliser.spread[6]
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    sd = np.full(shape, 0.5, np.float32)
    for given in (None, sd):
        found = physical_units.anomalies(linear, x, 7, given)
        expected = np.where(linear.mask, x * local, np.nan)
        np.testing.assert_allclose(found[rows], expected[rows], atol=1e-3)
    spread = physical_units.spread(linear, x, sd, 7)
    np.testing.assert_allclose(
        spread[rows], np.where(linear.mask, 0.5 * local, np.nan)[rows], rtol=1e-3
    )
    np.testing.assert_array_equal(np.isnan(spread), ~linear.mask)
    np.testing.assert_allclose(
        physical_units.climatological_spread(linear, 7)[rows],
        np.where(linear.mask, local, np.nan)[rows],
        rtol=1e-3,
    )


def test_the_mean_of_a_bent_variable_is_over_its_spread(linear):
    """Rain is bounded below, so that its mean lies above what the mean stands for."""
    bent = next(i for i, v in enumerate(linear.variables) if v.transform != "none")
    x = np.zeros(linear.mask.size, np.float32)
    one = np.ones(linear.mask.shape, np.float32)
    at_mean, over = (physical_units.anomalies(linear, x, 7, sd)[bent] for sd in (None, one))
    assert (over > at_mean).mean() > 0.9
    rng = np.random.default_rng(0)
    drawn = np.stack([
        physical_units.anomalies(linear, rng.standard_normal(x.size), 7, None)[bent]
        for _ in range(2000)
    ])  # fmt: skip
    sd = drawn.std(axis=0)
    error = (drawn.mean(axis=0) - over) / (sd / np.sqrt(len(drawn)))
    assert np.sqrt(np.mean(error**2)) < 2
    found = physical_units.climatological_spread(linear, 7)[bent]
    assert found == pytest.approx(sd, rel=0.2)
