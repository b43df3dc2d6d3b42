"""Minimising over the latent vector."""

from __future__ import annotations

import numpy as np

from mlda_core.vae.config import ModelConfig
from mlda_core.vae.dataset import TrainingData
from mlda_core.vae.minimise import decoder_jacobian, minimise_all_fields
from mlda_core.vae.training import build_vae


def test_minimisation_equals_the_closed_form_of_a_linear_decoder(
    config: ModelConfig, data: TrainingData
):
    vae = build_vae(config, data).eval()
    vae.requires_grad_(False)
    months = data.train.where(np.arange(len(data.train)) < 7)
    precision = 50 * data.normaliser.weights
    found = minimise_all_fields(
        vae.decoder, months.x, months.calendar, np.zeros((7, 6)), precision, steps=3
    )
    for i, month in enumerate(months.calendar):
        j = decoder_jacobian(vae.decoder, int(month)).double().numpy().reshape(6, -1)
        weighted = j * precision.ravel()
        exact = np.linalg.solve(np.eye(6) + weighted @ j.T, weighted @ months.x[i].ravel())
        np.testing.assert_allclose(found[i], exact, atol=1e-3)
