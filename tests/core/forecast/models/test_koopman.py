"""The forecast 'koopman': what its training leaves builds it again."""

import numpy as np
import torch

from mlda_core.forecast.models.koopman import FORECAST


def test_it_is_built_from_what_its_training_leaves(daily, tmp_path):
    bundle, data = daily
    made = FORECAST.train(bundle, data, tmp_path, seed=0)
    dynamics = FORECAST.build(bundle, made.tensors, made.shape)
    np.testing.assert_allclose(dynamics.latent.matrix, made.tensors["matrix"].numpy())
    assert dynamics.latent.model_error.size == bundle.n_latent
    assert torch.equal(dynamics.damping, made.tensors["damping"])
    assert 0 < made.provenance["validation_explained_variance"] < 1
