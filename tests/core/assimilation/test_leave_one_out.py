"""An observation and all others, against the innovation covariance itself."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table
from small import make_linear

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.leave_one_out import left_out


@pytest.fixture(scope="module")
def problem(tmp_path_factory):
    linear = make_linear(tmp_path_factory.mktemp("linear"))
    found, _ = Assimilator(linear).prepared(table(linear, 8), 7)
    return found


@pytest.mark.parametrize("row", [0, 9])
def test_what_the_others_expect_is_the_regression_on_them(problem, row):
    gain, observed = problem.gain, problem.observed
    prior = gain.error_covariance + gain.latent @ gain.latent.T
    mean = observed.value - problem.departures(problem.x_b)
    others = np.arange(len(observed)) != row
    weights = np.linalg.solve(
        prior[np.ix_(others, others)] + np.diag(observed.variance[others]), prior[others, row]
    )
    found = left_out(problem, row)
    assert found.background == pytest.approx(mean[row])
    assert found.prior == pytest.approx(prior[row, row])
    assert found.others == pytest.approx(mean[row] + weights @ (observed.value - mean)[others])
    left = prior[row, row] - weights @ prior[others, row]
    assert found.left == pytest.approx(left, rel=1e-6)
    total = left + observed.variance[row]
    assert found.departure == pytest.approx(observed.value[row] - found.others)
    assert found.misfit == pytest.approx(found.departure / np.sqrt(total))
    assert found.moved == pytest.approx(left / total * found.departure)
    assert found.weight == 1
