import numpy as np
import pytest

from mlda_core.forecast.double_well import DoubleWell
from mlda_core.forecast.dynamics import advance


def test_without_noise_the_wells_and_the_barrier_rest():
    rest = np.array([[-1.0], [0.0], [1.0]])
    assert np.array_equal(advance(DoubleWell(0.1, 0.4), rest, range(20)), rest)


def test_the_noise_of_a_step_has_its_variance():
    model = DoubleWell(0.04, 0.5)
    drawn = advance(model, np.ones((20000, 1)), range(1), np.random.default_rng(0))
    assert drawn.var() == pytest.approx(0.25 * 0.04, rel=0.05)
