"""The forecast 'latent': what its training leaves builds it again."""

import torch

from mlda_core.forecast.models.latent import FORECAST


def test_it_is_built_from_what_its_training_leaves(daily, tmp_path):
    bundle, data = daily
    made = FORECAST.train(bundle, data, tmp_path, seed=0)
    dynamics = FORECAST.build(bundle, made.tensors, made.shape)
    z = torch.from_numpy(bundle.code("1984-05-10")[None])
    after, truth = dynamics.latent.step(z, "1984-05-10").numpy()[0], bundle.code("1984-05-11")
    assert ((after - truth) ** 2).sum() < ((z.numpy()[0] - truth) ** 2).sum()
    assert 0 < made.provenance["validation_explained_variance"] < 1
