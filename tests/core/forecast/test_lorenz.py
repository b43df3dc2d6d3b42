import numpy as np
import pytest
import torch

from mlda_core.climate.errors import UserError
from mlda_core.forecast.double_well import DoubleWell
from mlda_core.forecast.dynamics import advance
from mlda_core.forecast.lorenz import Lorenz63, Lorenz96, runge_kutta

MODELS = [Lorenz63(), Lorenz96(7), DoubleWell(0.05, 0.5)]


def state_of(model, seed=0):
    return torch.from_numpy(2 + np.random.default_rng(seed).standard_normal((1, model.size)))


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_tangent_matches_finite_differences(model):
    x, dx = state_of(model), state_of(model, 1)
    tangent = torch.func.jvp(lambda s: model.step(s, 0), (x,), (dx,))[1]
    h = 1e-5
    ahead, behind = model.step(x + h * dx, 0), model.step(x - h * dx, 0)
    assert torch.allclose(tangent, (ahead - behind) / (2 * h), rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_adjoint_is_the_transpose_of_the_tangent(model):
    x, dx, dy = state_of(model), state_of(model, 1), state_of(model, 2)
    tangent = torch.func.jvp(lambda s: model.step(s, 0), (x,), (dx,))[1]
    (adjoint,) = torch.func.vjp(lambda s: model.step(s, 0), x)[1](dy)
    assert float((tangent * dy).sum()) == pytest.approx(float((dx * adjoint).sum()), rel=1e-12)


def test_runge_kutta_is_of_fourth_order():
    x = torch.ones((1, 1), dtype=torch.float64)
    error = [abs(float(runge_kutta(lambda s: -s, x, h)) - np.exp(-h)) for h in (0.2, 0.1)]
    # The error of one step falls as the fifth power.
    assert np.log2(error[0] / error[1]) == pytest.approx(5, abs=0.1)


def test_lorenz63_rests_at_its_fixed_points():
    r = np.sqrt(8 / 3 * 27)
    fixed = np.array([[r, r, 27.0], [-r, -r, 27.0], [0.0, 0.0, 0.0]])
    assert np.allclose(advance(Lorenz63(), fixed, range(50)), fixed, atol=1e-9)


def test_lorenz96_is_the_sum_of_its_terms():
    x = np.random.default_rng(0).standard_normal((2, 9))
    by_hand = (np.roll(x, -1, 1) - np.roll(x, 2, 1)) * np.roll(x, 1, 1) - x + 8
    assert np.allclose(Lorenz96(9).tendency(torch.from_numpy(x)).numpy(), by_hand)


def test_lorenz96_advection_keeps_energy():
    x = torch.from_numpy(np.random.default_rng(0).standard_normal((3, 12)))
    advection = Lorenz96(12, forcing=0.0).tendency(x) + x
    assert torch.allclose((x * advection).sum(-1), torch.zeros(3, dtype=torch.float64), atol=1e-12)


def test_a_small_circle_is_refused():
    with pytest.raises(UserError, match="4 or more"):
        Lorenz96(3)
