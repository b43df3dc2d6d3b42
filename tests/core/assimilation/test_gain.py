"""Factors of the innovation covariance, against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.gain import Gain
from mlda_core.assimilation.options import Setting
from mlda_core.climate.interpolation import ObservationError


def test_the_spread_of_the_decoded_part_alone(linear):
    """Against the error covariance of the linear estimate, the long way round."""
    observations = table(linear, 8)
    engine = Assimilator(linear)
    problem = engine.preparation.of_table(
        observations, 7, Setting(method="vae_latent_only")
    ).problem
    gain, factor = problem.gain, problem.gain.prior.factor.astype(float)
    s = gain.error_covariance + np.diag(gain.variance)
    k = np.linalg.inv(np.eye(len(factor)) + gain.latent.T @ np.linalg.inv(s) @ gain.latent)
    k = k @ gain.latent.T @ np.linalg.inv(s)
    left = np.eye(len(factor)) - k @ gain.latent
    of_zeta = left @ left.T + k @ s @ k.T
    expected = np.einsum("lc,lm,mc->c", factor, of_zeta, factor)
    expected += gain.prior.error.variance - 2 * ((factor * (k @ gain.columns)).sum(axis=0))
    places = problem.observed.places
    found = engine.posterior_variance(
        places, problem.observed.variance, 7, method="vae_latent_only"
    )
    np.testing.assert_allclose(found.ravel(), expected, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("method", ["vae", "enoi"])
def test_factors_are_those_of_the_dense_matrices(linear, method):
    """Woodbury, the leave-one-out misfit and the signal's degrees of freedom, the long way."""
    problem = (
        Assimilator(linear)
        .preparation.of_table(table(linear, 8), 7, Setting(method=method))
        .problem
    )
    gain = problem.gain
    signal = gain.error_covariance + gain.latent @ gain.latent.T
    total = signal + np.diag(gain.variance)
    np.testing.assert_allclose(gain.total_inverse @ total, np.eye(len(total)), atol=1e-5)
    d = np.random.default_rng(0).standard_normal(len(total))
    assert gain.chi_squared(d) == pytest.approx(d @ np.linalg.solve(total, d) / d.size)
    assert gain.degrees_of_freedom == pytest.approx(np.trace(np.linalg.solve(total, signal)))
    misfit = gain.left_out_misfit(d)
    for i in (0, len(d) - 1):
        others = np.arange(len(d)) != i
        k = np.linalg.solve(total[np.ix_(others, others)], total[others, i])
        expected = (d[i] - k @ d[others]) / np.sqrt(total[i, i] - total[i, others] @ k)
        assert misfit[i] == pytest.approx(expected)
    # At the observations themselves: what is left, and their own error.
    left = total - signal @ np.linalg.solve(total, signal)
    found = gain.expected_variance(gain.places, gain.variance)
    np.testing.assert_allclose(found, np.diag(left), rtol=2e-2)


def test_errors_that_do_not_fit_together_are_refused_with_the_remedy(linear):
    gain = Assimilator(linear).preparation.of_table(table(linear, 3), 7, Setting()).problem.gain
    with pytest.raises(ObservationError, match="raise an error or shorten the localisation"):
        Gain(gain.prior, gain.places, -gain.variance - 9.0, gain.columns)
