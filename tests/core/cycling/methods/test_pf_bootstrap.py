import numpy as np
import pytest
from linear_cycle import kalman, linear_problem

from mlda_core.cycling.cycle import Cycle


def test_with_many_particles_it_is_the_kalman_filter_with_its_evidence():
    problem = linear_problem(error=np.full(4, 0.3))
    means, covs, evidence = kalman(problem)
    steps = list(Cycle(problem, "pf_bootstrap", particles=40000).run())
    for step in steps[1:]:
        sd = np.sqrt(np.diag(covs[step.cycle]))
        assert np.abs((step.analysis.mean - means[step.cycle]) / sd).max() < 0.1
    found = sum(step.diagnostics["log_evidence"] for step in steps[1:])
    assert found == pytest.approx(evidence.sum(), abs=0.1)
