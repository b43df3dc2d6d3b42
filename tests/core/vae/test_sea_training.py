"""Training of the sea's network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mlda_core.vae.dataset import TrainingData
from mlda_core.vae.packing import pack_bytes, unpack_bytes
from mlda_core.vae.sea import SeaConfig, SeaNetwork
from mlda_core.vae.sea_training import SeaTraining, distinct_seas, train_sea


def test_members_under_one_sea_are_averaged_though_packing_differs(data: TrainingData):
    months = data.train.where(np.arange(len(data.train)) < 6)
    names = np.array(["1979-01"] * 3 + ["1979-02"] * 2 + ["1980-01"])
    sea = np.nan_to_num(months.anomalies[:1, 1])
    anomalies = months.anomalies.copy()
    anomalies[:, 1] = sea
    anomalies[1, 1] += 0.003 * (-1.0) ** np.arange(16)  # packing
    anomalies[2, 1, 0, 0] += 0.5  # another sea, in one cell
    alike = replace(months, anomalies=anomalies, names=names)
    first, row = distinct_seas(alike, 1)
    # Months are never averaged with those of another name, alike as their seas may be.
    assert first.tolist() == [0, 2, 3, 5]
    assert row.tolist() == [0, 0, 1, 2, 2, 3]
    first, row = distinct_seas(data.train, 1)
    assert len(first) == len(data.train)  # these members have seas of their own
    assert (row == np.arange(len(data.train))).all()


@pytest.mark.slow
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
    # One variable alone is trained to the same weights, and the others' are left.
    alone = train_sea(data, sea, config, settings, variables=["tas"])
    pairs = {n: (alone.parts[n].state_dict(), network.parts[n].state_dict()) for n in alone.parts}
    same = {n: all(torch.equal(a[k], b[k]) for k in a) for n, (a, b) in pairs.items()}
    assert same == {"psl": False, "tas": True, "pr": False}
    packed = pack_bytes(network.state_dict())
    save_file(packed, tmp_path / "sea.safetensors")
    again = SeaNetwork(data.normaliser, sea, config)
    again.load_state_dict(unpack_bytes(load_file(tmp_path / "sea.safetensors")))
    assert float((again(given, kelvin, month) - made).detach().abs().max()) < 0.03
