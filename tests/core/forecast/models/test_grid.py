"""The forecast 'grid': what its training leaves builds it again."""

import numpy as np
import torch

from mlda_core.forecast import grid_training
from mlda_core.forecast.grid_network import GridNetworkConfig
from mlda_core.forecast.models.grid import FORECAST
from mlda_core.vae.packing import tensors_under, unpack_bytes


def test_it_is_built_from_what_its_training_leaves(daily, tmp_path, monkeypatch):
    bundle, data = daily
    seen = []

    def quick(*args, **kwargs):
        settings = grid_training.GridTraining(epochs=1, rollout_epochs=0)
        shape = GridNetworkConfig(width=8, depth=1, position_channels=2)
        return train(*args, **{**kwargs, "settings": settings, "shape": shape})

    train = grid_training.train_grid
    monkeypatch.setattr(grid_training, "train_grid", quick)
    made = FORECAST.train(bundle, data, tmp_path, seed=0, tick=lambda stage, *_: seen.append(stage))
    dynamics = FORECAST.build(bundle, made.tensors, made.shape)
    assert dynamics.fields == bundle.mask.shape
    assert seen[0] == "grid: epoch 1"
    # In bytes, as it is kept.
    kept = unpack_bytes(tensors_under("network.", made.tensors))
    for name, value in dynamics.network.state_dict().items():
        assert torch.equal(value, kept[name])
    assert made.tensors["network.leave.conv.weight"].dtype == torch.int8
    variance = dynamics.model_error.variance
    assert variance.shape == (bundle.mask.size,)
    assert 0.05 < np.mean(variance) < 1.5
