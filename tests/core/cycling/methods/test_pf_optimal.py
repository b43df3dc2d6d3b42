import dataclasses

import numpy as np
import pytest
import torch
from linear_cycle import kalman, linear_problem
from scipy import stats

from mlda_core.climate.errors import UserError
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.method import Workspace
from mlda_core.cycling.methods import CYCLED
from mlda_core.cycling.operators import NonlinearOperator
from mlda_core.cycling.problem import Observations

ERROR = np.array([0.1, 0.2, 0.3, 0.4])


def test_likelihoods_and_draws_are_those_of_the_last_state():
    problem = linear_problem(error=ERROR, every=1)
    observed = problem.observations[1]
    n = 30000
    before = np.repeat(np.array([[1.0, -1.0, 0.5, 2.0], [0.0, 1.0, 0.0, -1.0]]), n, axis=0)
    after = before @ problem.dynamics.matrix.T
    method = CYCLED["pf_optimal"].configured(particles=2 * n)
    state = {"states": after, "weights": np.full(2 * n, 0.5 / n)}
    drawn, log = method.proposed(Workspace(problem), state, 1, observed, np.random.default_rng(0))
    h, q = observed.operator.matrix_at(after[0]), np.diag(ERROR)
    s = h @ q @ h.T + np.diag(observed.variance)
    k = q @ h.T @ np.linalg.inv(s)
    for part in (slice(0, n), slice(n, 2 * n)):
        m = after[part][0]
        # p(y_t | x_t-1) to rounding, p(x_t | x_t-1, y_t) to sampling error.
        exact = stats.multivariate_normal(h @ m, s).logpdf(observed.values)
        assert np.allclose(log[part], exact, rtol=1e-10)
        assert np.allclose(drawn[part].mean(axis=0), m + k @ (observed.values - h @ m), atol=0.02)
        assert np.allclose(np.cov(drawn[part].T), q - k @ h @ q, atol=0.01)


def test_it_is_the_kalman_filter_with_its_evidence():
    problem = linear_problem(error=np.full(4, 0.3))
    means, covs, evidence = kalman(problem)
    steps = list(Cycle(problem, "pf_optimal", particles=20000).run())
    for step in steps[1:]:
        sd = np.sqrt(np.diag(covs[step.cycle]))
        assert np.abs((step.analysis.mean - means[step.cycle]) / sd).max() < 0.1
    found = sum(step.diagnostics["log_evidence"] for step in steps[1:])
    assert found == pytest.approx(evidence.sum(), abs=0.1)


def test_more_particles_stay_effective_than_of_the_bootstrap_filter():
    problem = linear_problem(error=np.full(4, 2.0))
    effective = {}
    for key in ("pf_bootstrap", "pf_optimal"):
        steps = list(Cycle(problem, key, particles=2000).run())[1:]
        effective[key] = np.mean([s.diagnostics["effective"] for s in steps])
    assert effective["pf_optimal"] > 1.5 * effective["pf_bootstrap"]


def test_a_nonlinear_operator_is_refused():
    problem = linear_problem(error=ERROR)
    odd = Observations(
        NonlinearOperator(lambda x: torch.sin(x[..., :1]), 1), np.zeros(1), np.ones(1)
    )
    changed = dataclasses.replace(problem, observations=[None, odd, *[None] * 4])
    with pytest.raises(UserError, match="use pf-bootstrap"):
        list(Cycle(changed, "pf_optimal").run())
