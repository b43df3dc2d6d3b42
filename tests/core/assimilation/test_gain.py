"""Factors of the innovation covariance, against dense matrices."""

from __future__ import annotations

import numpy as np
from exact import table

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.options import Setting


def test_the_spread_of_the_decoded_part_alone(linear):
    """Against the error covariance of the linear estimate, the long way round."""
    observations = table(linear, 8)
    engine = Assimilator(linear)
    problem, _ = engine._prepare(observations, 7, Setting(method="vae_latent_only"))
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
