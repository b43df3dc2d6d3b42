"""Encoder and decoder as they start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from climate import spoil

from mlda_core.vae.config import ConfigError, ModelConfig
from mlda_core.vae.dataset import TrainingData, load_training_data
from mlda_core.vae.training import build_vae


def test_start_is_the_linear_posterior(config: ModelConfig, data: TrainingData):
    vae = build_vae(config, data).eval()
    months = data.train.where(np.arange(len(data.train)) < 5)
    mean, log_variance = vae.encoder(torch.from_numpy(months.x), torch.from_numpy(months.calendar))
    noise = 1 / config.training.information
    for i, month in enumerate(months.calendar):
        m = vae.decoder.mixing[month - 1].double().numpy()
        p = months.x[i].ravel() @ vae.encoder.projector.double().numpy()
        posterior = np.linalg.inv(m.T @ m / noise + np.eye(m.shape[1]))
        np.testing.assert_allclose(mean[i].detach(), posterior @ m.T @ p / noise, atol=2e-3)
        np.testing.assert_allclose(
            log_variance[i].detach().exp(), np.diag(posterior), rtol=1e-2, atol=1e-4
        )
    # The refining network adds nothing yet.
    z, calendar = mean[:2].detach(), torch.from_numpy(months.calendar[:2])
    assert torch.equal(
        vae.decoder(z, calendar), vae.decoder.linear_part(z, calendar) * vae.decoder.mask
    )


def test_land_stays_empty_in_the_sea(config: ModelConfig, data: TrainingData):
    vae = build_vae(config, data)
    torch.nn.init.normal_(vae.decoder.refiner.leave.conv.weight)
    out = vae.decoder(torch.randn(3, 6), torch.tensor([1, 5, 9]))
    assert (out[:, ~torch.from_numpy(data.normaliser.mask)] == 0).all()


def test_a_globe_that_does_not_divide_is_refused(tmp_path: Path):
    def finer(data: xr.Dataset) -> xr.Dataset:
        lon = np.arange(20) * 18.0
        return data.pad(lon=(0, 4), mode="wrap").assign_coords(lon=lon)

    config = spoil(tmp_path, finer)
    with pytest.raises(ConfigError, match="8 x 20 cells does not divide by 8"):
        build_vae(config, load_training_data(config))
