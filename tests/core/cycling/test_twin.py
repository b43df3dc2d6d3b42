import numpy as np
import pytest

from mlda_core.cycling.covariance import Gaussian
from mlda_core.cycling.cycle import CycledStep
from mlda_core.cycling.method import Estimate
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.twin import score, simulate
from mlda_core.forecast.dynamics import advance
from mlda_core.forecast.lorenz import Lorenz96
from mlda_core.forecast.model_error import DiagonalCovariance

INITIAL = Gaussian(np.arange(6.0), DiagonalCovariance(np.ones(6)))
OPERATOR = LinearOperator.of_components([0, 3], 6)


def test_a_truth_is_a_run_of_the_model_and_is_observed_with_noise():
    model = Lorenz96(6)
    twin = simulate(model, INITIAL, OPERATOR, np.array([1.0, 9.0]), cycles=1500, every=2, seed=4)
    assert twin.truth.shape == (3001, 6)
    assert np.allclose(twin.truth[2], advance(model, twin.truth[:1], range(2))[0])
    assert twin.observations[0] is None
    noise = np.array([o.values for o in twin.observations[1:]]) - twin.at_cycles()[1:, [0, 3]]
    assert noise.std(axis=0) == pytest.approx([1, 3], rel=0.06)


def test_scores_are_root_mean_squares_over_components():
    def step(cycle, error, sd):
        mean = np.array([error, -error])
        return CycledStep(cycle, cycle, Estimate(2 * mean), Estimate(mean, sd), {})

    steps = [step(0, 9.0, None), step(1, 9.0, np.full(2, 5.0)), step(2, 1.0, np.full(2, 2.0))]
    scores = score(steps, np.zeros((3, 2)))
    assert np.isnan(scores.spread[0])
    assert scores.mean_after(0) == (10.0, 5.0, 3.5)
    assert scores.mean_after(1) == (2.0, 1.0, 2.0)
