"""The network that maps the sea to the other variables."""

from __future__ import annotations

import torch

from mlda_core.vae.dataset import TrainingData
from mlda_core.vae.sea import SeaConfig, SeaNetwork


def test_the_sea_network_knows_how_warm_the_sea_is(data: TrainingData):
    network = SeaNetwork(data.normaliser, 1, SeaConfig(width=8, position_channels=2))
    zero, month = torch.zeros(1, 8, 16), torch.tensor([7])
    warm = network.inputs(zero, zero + 2.0 * network.mask[1], month) - network.inputs(
        zero, zero, month
    )
    there = network.mask[1] > 0
    assert torch.allclose(warm[0, 2][there], torch.tensor(0.5))
    assert (warm[0, 2][~there] == 0).all()
    assert (warm[0, 4:] == 0).all()
