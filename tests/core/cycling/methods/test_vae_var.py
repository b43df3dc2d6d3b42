"""VAE-Var: the exact update where the decoder is linear, and the minimum where it is not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from learnt_errors import (
    CODES,
    LOCAL,
    OPERATOR,
    SIZE,
    dense,
    errors_of,
    exact,
    last,
    problem_of,
)

from mlda_core.climate.errors import UserError
from mlda_core.cycling.covariance import LocalisedSample
from mlda_core.cycling.cycle import Cycle
from mlda_core.cycling.methods.vae_var import VaeVar

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_with_a_linear_decoder_it_is_the_kalman_update(factor):
    errors = errors_of()
    step = last(problem_of(errors), factor=factor)
    slope = errors.slope(1)
    mean, sd = exact(factor * slope.T @ slope + dense(errors.rest))
    np.testing.assert_allclose(step.analysis.mean, mean, atol=1e-4)
    np.testing.assert_allclose(step.analysis.sd, sd, atol=1e-4)
    prior = np.sqrt(np.diag(factor * slope.T @ slope + dense(errors.rest)))
    np.testing.assert_allclose(step.background.sd, prior, rtol=1e-5)


def test_a_share_mixes_it_with_the_problem_s_covariance():
    errors = errors_of()
    other = LocalisedSample(RNG.standard_normal((9, SIZE)), LOCAL)
    step = last(problem_of(errors, other), share=0.3)
    slope = errors.slope(1)
    own = slope.T @ slope + dense(errors.rest)
    mean, sd = exact(0.3 * own + 0.7 * dense(other))
    np.testing.assert_allclose(step.analysis.mean, mean, atol=1e-4)
    np.testing.assert_allclose(step.analysis.sd, sd, atol=1e-4)


def test_with_a_bent_decoder_it_is_the_minimum_of_the_cost():
    errors = errors_of(bend=0.15)
    step = last(problem_of(errors), iterations=40)
    seen = problem_of(None).observations[1]
    rest = dense(errors.rest)
    h = OPERATOR.matrix_at(np.zeros(SIZE))
    inverse = np.linalg.inv(h @ rest @ h.T + np.diag(seen.variance))

    def state(codes):
        with torch.no_grad():
            moved = errors.decode(torch.from_numpy(np.atleast_2d(codes)), 1).numpy()
        left = seen.values - moved @ h.T
        cost = 0.5 * (np.atleast_2d(codes) ** 2).sum(1)
        cost += 0.5 * np.einsum("np,pq,nq->n", left, inverse, left)
        return cost, moved + left @ (rest @ h.T @ inverse).T

    # By search: a cloud that shrinks about the best codes found.
    best, width = np.zeros(CODES), 2.0
    for _ in range(60):
        cloud = best + width * RNG.standard_normal((2000, CODES))
        cost, _ = state(np.vstack([best, cloud]))
        best, width = np.vstack([best, cloud])[cost.argmin()], 0.8 * width
    np.testing.assert_allclose(step.analysis.mean, state(best)[1][0], atol=5e-3)


def test_without_observations_it_is_the_forecast_and_a_resumed_run_has_the_same_bits(tmp_path):
    errors = errors_of(bend=0.1)
    one = problem_of(errors)
    seen, times = one.observations[1], np.arange("2001-01-30", "2001-02-04", dtype="datetime64[D]")
    problem = replace(one, times=times, observations=[seen, None, seen, seen, seen])
    whole = list(Cycle(problem, "vae_var").run())
    assert np.array_equal(whole[1].analysis.mean, whole[1].background.mean)
    np.testing.assert_allclose(whole[1].background.mean, 0.9 * whole[0].analysis.mean)
    first = Cycle(problem, "vae_var")
    steps = list(first.run(end=2))
    np.savez(tmp_path / "run.npz", **first.state())
    second = Cycle(problem, "vae_var")
    with np.load(tmp_path / "run.npz") as saved:
        second.resume(saved)
    steps += second.run()
    for a, b in zip(steps, whole, strict=True):
        assert np.array_equal(a.analysis.mean, b.analysis.mean)
        assert np.array_equal(a.analysis.sd, b.analysis.sd)


def test_it_needs_learnt_errors_and_settings_that_mean_something():
    with pytest.raises(UserError, match="mlda cycle train"):
        last(problem_of(None))
    for wrong in ({"share": 0.0}, {"share": 1.5}, {"factor": 0.0}):
        with pytest.raises(UserError, match="A share lies above 0"):
            VaeVar(**wrong)
