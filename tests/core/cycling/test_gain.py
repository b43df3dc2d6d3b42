import numpy as np
import pytest

from mlda_core.cycling.gain import Gain
from mlda_core.cycling.operators import LinearOperator
from mlda_core.cycling.problem import Observations
from mlda_core.forecast.model_error import FactoredCovariance


def test_the_gain_is_that_of_the_full_matrices():
    rng = np.random.default_rng(0)
    root, h, d = rng.standard_normal((6, 4)), rng.standard_normal((3, 6)), rng.standard_normal(3)
    b, r = root @ root.T, np.array([0.5, 1.0, 2.0])
    gain = Gain.of(
        FactoredCovariance(root), Observations(LinearOperator.of_dense(h), d, r), np.zeros(6)
    )
    k = b @ h.T @ np.linalg.inv(h @ b @ h.T + np.diag(r))
    assert np.allclose(gain.increment(d), k @ d)
    assert np.allclose(gain.sd, np.sqrt(np.diag(b - k @ h @ b)))
    assert gain.signal == pytest.approx(np.trace(h @ k))
