import numpy as np
import pytest
from linear_cycle import kalman, linear_problem

from mlda_core.cycling.cycle import Cycle


@pytest.mark.slow
def test_with_many_members_it_is_the_kalman_filter():
    problem = linear_problem(error=np.array([0.1, 0.2, 0.3, 0.4]))
    means, covs, _ = kalman(problem)
    for step in Cycle(problem, "enkf", members=20000).run():
        sd = np.sqrt(np.diag(covs[step.cycle]))
        # Sampling errors are about 1 / sqrt(20,000) of a deviation, a cycle adds its own.
        assert np.abs((step.analysis.mean - means[step.cycle]) / sd).max() < 0.05
        assert np.allclose(step.analysis.sd, sd, rtol=0.05)
