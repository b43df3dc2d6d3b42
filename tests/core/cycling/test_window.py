import numpy as np
import pytest
import torch
from linear_cycle import lorenz_problem

from mlda_core.cycling.window import Window, gauss_newton

RNG = np.random.default_rng(0)


def window_of(*, weak):
    problem = lorenz_problem(cycles=3, every=2, error=0.05)
    used = [(c, problem.observations[c]) for c in (1, 3)]
    errors = 0.1 * RNG.standard_normal((6, 8)) if weak else None
    return Window(problem, 0, 3, problem.initial.mean, problem.initial.covariance, used, errors)


@pytest.mark.parametrize("weak", [False, True])
def test_the_gradient_is_the_slope_of_the_cost(weak):
    window = window_of(weak=weak)
    assert window.rank == (8 + 6 * 8 if weak else 8)
    v, dv, h = *(0.3 * RNG.standard_normal((2, window.rank))), 1e-5
    _, gradient = window.value_and_gradient(v)
    slope = window.value_and_gradient(v + h * dv)[0] - window.value_and_gradient(v - h * dv)[0]
    assert gradient @ dv == pytest.approx(slope / (2 * h), rel=1e-6)


@pytest.mark.parametrize("weak", [False, True])
def test_departures_and_slopes_make_the_gradient(weak):
    window = window_of(weak=weak)
    v = 0.3 * RNG.standard_normal(window.rank)
    departures, slope = window.linearised(v)
    cost, gradient = window.value_and_gradient(v)
    assert cost == pytest.approx(0.5 * (v @ v + departures @ departures))
    assert np.allclose(gradient, v - slope.T @ departures)


@pytest.mark.parametrize("weak", [False, True])
def test_gauss_newton_ends_where_the_gradient_vanishes(weak):
    window = window_of(weak=weak)
    control, count = gauss_newton(window, np.zeros(window.rank), 40, 1e-20)
    assert count < 40
    assert np.abs(window.value_and_gradient(control)[1]).max() < 1e-6


def test_the_ends_are_joined_by_the_model_errors():
    window = window_of(weak=True)
    v = RNG.standard_normal(window.rank)
    start, end = window.ends(v)
    x = torch.from_numpy(start[None])
    for error in window.model_errors(v):
        x = window.problem.dynamics.step(x, 0) + torch.from_numpy(error)
    assert np.allclose(x[0].numpy(), end)
    assert not np.allclose(window.model_errors(v)[0], window.errors[0])
