import numpy as np
import pytest
from linear_cycle import kalman, linear_problem

from mlda_core.cycling.cycle import Cycle


@pytest.mark.parametrize("rotate", [False, True])
@pytest.mark.parametrize("members", [5, 12])
def test_with_an_exact_ensemble_it_is_the_kalman_filter(members, rotate):
    problem = linear_problem(exact=True)
    means, covs, _ = kalman(problem)
    steps = list(Cycle(problem, "etkf", members=members, rotate=rotate).run())
    assert len(steps) == 6
    for step in steps:
        assert np.allclose(step.analysis.mean, means[step.cycle])
        assert np.allclose(step.analysis.sd**2, np.diag(covs[step.cycle]))
