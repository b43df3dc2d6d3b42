"""Fixtures of tests/core/bundle."""

from __future__ import annotations

import pytest
import torch
from climate import make_config

from mlda_core.bundle.bundle import Bundle, load_bundle
from mlda_core.bundle.export import export_bundle
from mlda_core.vae.dataset import TrainingData, load_training_data
from mlda_core.vae.training import VAE, build_vae


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, VAE, TrainingData]:
    folder = tmp_path_factory.mktemp("bundle")
    config = make_config(folder)
    data = load_training_data(config)
    vae = build_vae(config, data).eval()
    torch.manual_seed(1)
    # A decoder that bends, as a trained one does.
    torch.nn.init.normal_(vae.decoder.refiner.leave.conv.weight, std=0.001)
    torch.nn.init.normal_(vae.encoder.out.weight, std=0.02)
    export_bundle(vae, config, data, folder / "made", provenance={"test": True})
    return load_bundle(folder / "made"), vae, data
