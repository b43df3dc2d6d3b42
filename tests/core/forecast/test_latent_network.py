"""The residual network on latent vectors."""

import numpy as np
import torch

from mlda_core.climate.seasons import DAILY
from mlda_core.forecast.latent_network import (
    LatentDynamics,
    LatentNetworkConfig,
    LatentTraining,
    loss_of,
    train_latent,
)
from mlda_core.forecast.latent_states import Pairs

SHAPE = LatentNetworkConfig(width=32)


def pairs(n, seed):
    """Pairs of a map that no matrix makes: the sign of one number turns the other."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal((n, 2))
    after = np.stack([0.8 * z[:, 0], 0.8 * np.abs(z[:, 0]) - 0.5], axis=1)
    return Pairs(z, after, rng.integers(1, 367, n))


def test_it_learns_what_a_matrix_cannot():
    train, held = pairs(3000, 0), pairs(500, 1)
    start = np.array([[0.8, 0.0], [0.0, 0.0]])
    settings = LatentTraining(epochs=30, dropout=0.0, weight_decay=0.0, rate=5e-3)
    network, epoch = train_latent(train, held, DAILY, start, shape=SHAPE, settings=settings)
    left = held.after - held.before @ start.T
    linear = (left**2).sum() / (held.after**2).sum()
    assert epoch > 0
    assert loss_of(network, held, DAILY) < 0.2 * linear


def test_where_there_is_nothing_to_learn_the_matrix_stays():
    rng = np.random.default_rng(0)
    z = rng.standard_normal((60, 2))
    noise = Pairs(z, rng.standard_normal((60, 2)), np.ones(60, int))
    held = Pairs(z, 0.8 * z, np.ones(60, int))
    settings = LatentTraining(epochs=5)
    network, epoch = train_latent(
        noise, held, DAILY, 0.8 * np.eye(2), shape=SHAPE, settings=settings
    )
    assert epoch == 0
    made = LatentDynamics(network, DAILY, np.eye(2)).step(torch.from_numpy(z), "1984-02-29")
    np.testing.assert_allclose(made.numpy(), 0.8 * z, atol=1e-6)


def test_its_tangent_agrees_with_finite_differences():
    settings = LatentTraining(epochs=2)
    network, _ = train_latent(
        pairs(300, 0), pairs(50, 1), DAILY, 0.5 * np.eye(2), shape=SHAPE, settings=settings
    )
    made = LatentDynamics(network.double(), DAILY, np.eye(2))
    day = np.datetime64("1984-07-01")
    x, dx = torch.randn(2, 1, 2, dtype=torch.float64)
    tangent = torch.func.jvp(lambda s: made.step(s, day), (x,), (dx,))[1]
    h = 1e-6
    wanted = (made.step(x + h * dx, day) - made.step(x - h * dx, day)) / (2 * h)
    torch.testing.assert_close(tangent, wanted, rtol=1e-6, atol=1e-7)
    assert made.model_error.variance.tolist() == [1.0, 1.0]
