"""The latent basis that is shipped, and its prior covariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlda_core.vae.config import ModelConfig
from mlda_core.vae.dataset import Months, TrainingData
from mlda_core.vae.latent import correct_variances, encode_months, find_basis
from mlda_core.vae.minimise import decoder_jacobian
from mlda_core.vae.training import build_vae


def test_shipped_basis_is_principal_and_invertible(config: ModelConfig, data: TrainingData):
    vae = build_vae(config, data).eval()
    weights = data.normaliser.weights
    held_out = data.observed.in_split("validation", "calibration")
    basis = find_basis(vae, data.train, held_out, weights)
    np.testing.assert_allclose(basis.to_training @ basis.from_training, np.eye(6), atol=1e-8)
    gram = np.zeros((6, 6))
    for month in range(1, 13):
        j = decoder_jacobian(vae.decoder, month).double().numpy()
        turned = np.einsum("kvyx,kl->lvyx", j, basis.to_training) * np.sqrt(weights)
        gram += turned.reshape(6, -1) @ turned.reshape(6, -1).T / 12
    assert np.abs(gram - np.diag(np.diag(gram))).max() < 1e-4 * gram.max()
    assert (np.diff(np.diag(gram)) <= 1e-9).all()
    np.testing.assert_allclose(basis.share.sum(axis=1), np.diag(gram), rtol=1e-4)


def test_prior_is_the_training_codes_corrected_by_direction(
    config: ModelConfig, data: TrainingData
):
    """Held-out months alike leave the whitened training codes; weaker ones scale directions."""
    vae = build_vae(config, data).eval()
    weights = data.normaliser.weights

    def covariance(held_out: Months) -> np.ndarray:
        inverse = find_basis(vae, data.train, held_out, weights).from_training
        return inverse @ encode_months(vae, data.train).second @ inverse.T

    np.testing.assert_allclose(covariance(data.train), np.eye(6), atol=0.1)
    weak = replace(data.train, x=np.float32(0.7) * data.train.x)
    # The last directions' codes are half posterior variance, which stays.
    np.testing.assert_allclose(covariance(weak)[:4, :4], np.eye(4) / 0.49, atol=0.1)


def test_few_years_correct_only_what_they_tell():
    """A loss of variance that grows with a variable's fraction is found, chance is not."""
    rng = np.random.default_rng(3)
    share = np.column_stack([rng.uniform(0.2, 0.8, 100), np.ones(100)])
    share[:, 1] -= share[:, 0]
    truth = np.exp(-0.2 * np.linspace(-1, 1, 100) - 0.5 * share[:, 0])
    training = rng.chisquare(8, (28, 100)) / 8  # eight independent months a year
    training /= training.mean(axis=0)
    seen = truth * rng.chisquare(40, 100) / 40
    found = correct_variances(seen, training, share, 5)
    assert np.abs(np.log(found / truth)).mean() < 0.35 * np.abs(np.log(seen / truth)).mean()
    # A direction whose variance is a fifth is no chance in five years.
    seen[50:60] *= 0.2
    again = correct_variances(seen, training, share, 5)
    assert (again[50:60] < 0.4 * found[50:60]).all()
    # The moments of all training years need no correction.
    same = correct_variances(np.ones(100), training, share, 28)
    np.testing.assert_allclose(same, 1.0, atol=0.03)
