"""VAE-Var with a flow: the minimum of the cost in the flow's own N(0, I)."""

import numpy as np
import pytest
import torch
from learnt_errors import CODES, OPERATOR, dense, errors_of, last, problem_of
from priors import jolted

from mlda_core.climate.errors import UserError


def test_an_untrained_flow_is_none():
    priors = {"flow": jolted("flow", CODES, 0.0)}
    problem = problem_of(errors_of(bend=0.1, priors=priors))
    plain, flow = (last(problem, method) for method in ("vae_var", "vae_var_flow"))
    np.testing.assert_allclose(flow.analysis.mean, plain.analysis.mean, atol=1e-4)
    np.testing.assert_allclose(flow.analysis.sd, plain.analysis.sd, rtol=1e-4)


def test_a_flow_moves_it_to_the_codes_that_are_likely_there():
    flow = jolted("flow", CODES, 0.3)
    errors = errors_of(priors={"flow": flow})
    problem = problem_of(errors)
    step = last(problem, "vae_var_flow", iterations=40)
    plain = last(problem, iterations=40)
    assert np.abs(step.analysis.mean - plain.analysis.mean).max() > 0.01
    seen, rest = problem.observations[1], dense(errors.rest)
    h = OPERATOR.matrix_at(np.zeros(rest.shape[0]))
    inverse = np.linalg.inv(h @ rest @ h.T + np.diag(seen.variance))

    def state(base):
        with torch.no_grad():
            codes = flow.transport(1).forward(torch.from_numpy(base).float()).double()
            moved = errors.decode(codes, 1).numpy()
        left = seen.values - moved @ h.T
        cost = 0.5 * (base**2).sum(1) + 0.5 * np.einsum("np,pq,nq->n", left, inverse, left)
        return cost, moved + left @ (rest @ h.T @ inverse).T

    # By search: a cloud that shrinks about the best found.
    rng = np.random.default_rng(1)
    best, width = np.zeros((1, CODES)), 2.0
    for _ in range(60):
        cloud = np.concatenate((best, best + width * rng.standard_normal((2000, CODES))))
        best, width = cloud[[state(cloud)[0].argmin()]], 0.8 * width
    np.testing.assert_allclose(step.analysis.mean, state(best)[1][0], atol=5e-3)


def test_errors_without_a_flow_are_refused():
    with pytest.raises(UserError, match="mlda cycle train --prior flow"):
        last(problem_of(errors_of()), "vae_var_flow")
