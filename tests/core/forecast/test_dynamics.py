import numpy as np
import pytest
import torch
from linear_cycle import LinearDynamics

from mlda_core.forecast.dynamics import advance, trajectory
from mlda_core.forecast.lorenz import Lorenz63
from mlda_core.forecast.model_error import DiagonalCovariance

START = np.array([[1.5, -1.5, 25.0], [2.0, 3.0, 20.0]])


class Clock:
    """A model that adds the time it is given."""

    name, size, model_error = "clock", 1, None

    def step(self, states, time):
        return states + time


def test_advance_makes_one_step_for_each_time():
    model = Lorenz63()
    by_hand = model.step(model.step(torch.from_numpy(START), 0), 1).numpy()
    assert np.array_equal(advance(model, START, (0, 1)), by_hand)


def test_each_step_is_given_the_time_it_starts_from():
    assert advance(Clock(), np.zeros((1, 1)), (5, 7))[0, 0] == 12


def test_the_start_is_left_as_it_was():
    before = START.copy()
    advance(Lorenz63(), START, (0,), np.random.default_rng(0))
    assert np.array_equal(START, before)


def test_model_error_is_added_after_each_step_and_only_if_asked():
    model = LinearDynamics(np.eye(2) * 0.5, DiagonalCovariance(np.array([1.0, 4.0])))
    still = advance(model, np.zeros((4000, 2)), range(3))
    assert not still.any()
    drawn = advance(model, np.zeros((4000, 2)), range(3), np.random.default_rng(0))
    # Var = q (1 + a^2 + a^4).
    assert drawn.var(axis=0) == pytest.approx(np.array([1.0, 4.0]) * 1.3125, rel=0.1)


def test_trajectory_holds_the_start_and_each_step():
    path = trajectory(Lorenz63(), START, range(3))
    assert path.shape == (4, 2, 3)
    assert np.array_equal(path[0], START)
    assert np.array_equal(path[3], advance(Lorenz63(), START, range(3)))
