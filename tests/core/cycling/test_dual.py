import numpy as np
import pytest
import torch
from linear_cycle import lorenz_problem

from mlda_core.cycling.covariance import LocalisedSample
from mlda_core.cycling.dual import Forcings, minimum
from mlda_core.forecast.model_error import DiagonalCovariance

RNG = np.random.default_rng(0)


def window_of(problem, covariances):
    used = [(c, problem.observations[c]) for c in (1, 3)]
    return Forcings(problem, 0, 3, problem.initial.mean, covariances, used)


def cost(window, forcings, matrices):
    """Return the cost of forcings, with the covariances as matrices."""
    before = sum(f @ np.linalg.solve(c, f) for f, c in zip(forcings, matrices, strict=True))
    seen = window.observed(torch.from_numpy(forcings)).numpy()
    values = np.concatenate([o.values / o.sd for _, o in window.used])
    return 0.5 * (before + ((values - seen) ** 2).sum())


@pytest.mark.slow
@pytest.mark.parametrize("weak", [False, True])
def test_it_is_the_minimum_of_the_cost(weak):
    problem = lorenz_problem(cycles=3, every=2)
    b, q = DiagonalCovariance(np.linspace(0.2, 0.6, 8)), DiagonalCovariance(np.full(8, 0.02))
    covariances = [(b, 0.5), *([(q, 1.0)] * 6 if weak else [])]
    window = window_of(problem, covariances)
    states, count = minimum(window, 8, 1e-10, lambda seen: np.zeros((len(seen.sd),) * 2))
    assert len(states) == 4
    assert count > 8
    # The forcings of those states, and the cost about them.
    matrices = [np.diag(0.5 * b.variance), *([np.diag(q.variance)] * 6 if weak else [])]
    forcings = np.zeros((len(matrices), 8))
    forcings[0] = states[0] - problem.initial.mean
    if weak:
        # Only their sum over a cycle shows: the steepest of all ways is found by the gradient.
        forcings = _fitted(window, forcings, states)
    least = cost(window, forcings, matrices)
    for _ in range(5):
        for size in (1e-2, -1e-2):
            other = forcings + size * RNG.standard_normal(forcings.shape)
            assert cost(window, other, matrices) > least


def _fitted(window, forcings, states):
    """Return the forcings of least norm that lead through states, by Gauss-Newton."""
    found = torch.from_numpy(forcings)
    wanted = torch.from_numpy(np.concatenate(states))

    def through(f):
        return torch.cat([at[0] for at in window.states(f)])

    for _ in range(20):
        slope = torch.autograd.functional.jacobian(through, found).reshape(len(wanted), -1)
        toward = wanted - through(found) + slope @ found.flatten()
        found = (torch.linalg.pinv(slope) @ toward).view_as(found)
    return found.numpy()


def test_forcings_that_share_a_sample_are_spread_together():
    problem = lorenz_problem(cycles=3)
    sample = LocalisedSample(RNG.standard_normal((5, 8)), problem.localisation)
    other = DiagonalCovariance(np.arange(1.0, 9.0))
    window = window_of(problem, [(sample, 1.0), (other, 2.0), (sample, 0.5), (sample, 0.5)])
    slopes = torch.from_numpy(RNG.standard_normal((4, 8)))
    found = window.spread(slopes)
    for k, factor in ((0, 1.0), (2, 0.5), (3, 0.5)):
        assert torch.allclose(found[k], factor * sample.product(slopes[k : k + 1])[0], atol=1e-6)
    assert torch.allclose(found[1], 2.0 * torch.arange(1.0, 9.0).double() * slopes[1])
