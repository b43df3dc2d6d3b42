"""The latent basis that is shipped, and its prior covariance."""

from __future__ import annotations

import numpy as np

from mlda_core.vae.config import ModelConfig
from mlda_core.vae.dataset import TrainingData
from mlda_core.vae.latent import encode_months, find_basis, match_variances, shrink_to_smooth
from mlda_core.vae.minimise import decoder_jacobian
from mlda_core.vae.training import build_vae


def test_shipped_basis_is_principal_and_invertible(config: ModelConfig, data: TrainingData):
    vae = build_vae(config, data).eval()
    weights = data.normaliser.weights
    held_out = data.observed.in_split("validation", "calibration")
    basis = find_basis(vae, held_out, weights)
    np.testing.assert_allclose(basis.to_training @ basis.from_training, np.eye(6), atol=1e-8)
    gram = np.zeros((6, 6))
    for month in range(1, 13):
        j = decoder_jacobian(vae.decoder, month).double().numpy()
        turned = np.einsum("kvyx,kl->lvyx", j, basis.to_training) * np.sqrt(weights)
        gram += turned.reshape(6, -1) @ turned.reshape(6, -1).T / 12
    assert np.abs(gram - np.diag(np.diag(gram))).max() < 1e-4 * gram.max()
    assert (np.diff(np.diag(gram)) <= 1e-9).all()
    np.testing.assert_allclose(basis.share.sum(axis=1), np.diag(gram), rtol=1e-4)
    # Each variable's decoded variance is that of the held-out codes.
    codes = encode_months(vae, held_out)
    second = codes.mean.T @ codes.mean / len(codes.mean) + np.diag((codes.sd**2).mean(axis=0))
    wanted = np.zeros(4)
    for month in range(1, 13):
        j = decoder_jacobian(vae.decoder, month).double().numpy() * np.sqrt(weights)
        wanted += np.einsum("kvyx,lvyx,kl->v", j, j, second) / 12
    np.testing.assert_allclose(basis.share.sum(axis=0), wanted, rtol=1e-3)


def test_shrinking_finds_the_smooth_truth_in_noise():
    rng = np.random.default_rng(3)
    rank = np.linspace(-1, 1, 100)
    share = np.column_stack([rng.uniform(0.2, 0.8, 100), np.ones(100)])
    share[:, 1] -= share[:, 0]
    truth = np.exp(-0.2 * rank - 0.5 * share[:, 0])
    samples = 60
    seen = truth * rng.chisquare(samples, 100) / samples
    found = shrink_to_smooth(seen, share, samples)
    assert np.abs(np.log(found / truth)).mean() < 0.3 * np.abs(np.log(seen / truth)).mean()


def test_matched_covariance_is_exact_and_trivial_where_nothing_is_amiss():
    rng = np.random.default_rng(4)
    grams = np.stack([a @ a.T / 20 for a in rng.standard_normal((3, 8, 20))])
    np.testing.assert_allclose(match_variances(grams, np.eye(8)), np.eye(8), atol=1e-6)
    second = np.diag(rng.uniform(0.6, 1.4, 8))
    found = match_variances(grams, second)
    np.testing.assert_allclose(
        np.einsum("vkl,lk->v", grams, found), np.einsum("vkl,lk->v", grams, second), rtol=1e-4
    )
