"""Training of the sea's network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from mlda_core.vae.dataset import TrainingData
from mlda_core.vae.packing import pack_bytes, unpack_bytes
from mlda_core.vae.sea import SeaConfig, SeaNetwork
from mlda_core.vae.sea_training import SeaTraining, train_sea


def test_the_sea_network_learns_each_variable_alone_and_survives_packing(
    data: TrainingData, tmp_path: Path
):
    sea = 1
    settings = SeaTraining(epochs=1, epochs_normalised=2, batch=32)
    config = SeaConfig(width=8, position_channels=2)
    ticks: list[tuple[int, int]] = []
    network = train_sea(data, sea, config, settings, tick=lambda i, n: ticks.append((i, n)))
    assert set(network.parts) == {"psl", "tas", "pr"}
    assert ticks[-1][0] == ticks[-1][1] == len(ticks)
    months = data.train.where(np.arange(len(data.train)) < 12)
    given = torch.from_numpy(months.x[:, sea])
    month = torch.from_numpy(months.calendar)
    spread = torch.from_numpy(np.nan_to_num(data.normaliser.spread[:, sea])).float()
    kelvin = given * spread[month - 1]
    made = network(given, kelvin, month)
    assert torch.equal(made[:, sea], given)
    for name in network.parts:
        row = network.rows[name]
        assert torch.allclose(made[:, row], network.one(name, given, kelvin, month), atol=1e-5)
    packed = pack_bytes(network.state_dict())
    save_file(packed, tmp_path / "sea.safetensors")
    again = SeaNetwork(data.normaliser, sea, config)
    again.load_state_dict(unpack_bytes(load_file(tmp_path / "sea.safetensors")))
    assert float((again(given, kelvin, month) - made).detach().abs().max()) < 0.03
