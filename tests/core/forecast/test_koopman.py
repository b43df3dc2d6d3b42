"""The linear model of latent vectors."""

import numpy as np
import pytest
import torch
from pydmd import DMD

from mlda_core.forecast.koopman import (
    MOST_GROWTH,
    choose_linear,
    fit_linear,
    lost_of,
    stable,
)
from mlda_core.forecast.latent_states import Pairs


def pairs(n=4000, seed=0, noise=0.3):
    """Pairs of a damped rotation with noise."""
    rng = np.random.default_rng(seed)
    angle = 0.5
    matrix = 0.8 * np.eye(4)
    matrix[:2, :2] = 0.9 * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    z = np.zeros((n + 1, 4))
    for t in range(n):
        z[t + 1] = matrix @ z[t] + noise * rng.standard_normal(4)
    return matrix, Pairs(z[:-1], z[1:], np.ones(n, int))


def test_the_matrix_and_the_error_are_found_again():
    matrix, made = pairs()
    found = fit_linear(made, 0.0)
    np.testing.assert_allclose(found.matrix, matrix, atol=0.03)
    np.testing.assert_allclose(found.error, 0.09 * np.eye(4), atol=0.01)
    assert found.model_error.variance == pytest.approx(np.diag(found.error))


def test_eigenvalues_are_those_of_dynamic_mode_decomposition():
    _, made = pairs()
    series = np.concatenate([made.before, made.after[-1:]])
    theirs = DMD(svd_rank=-1).fit(series.T).eigs
    ours = np.linalg.eigvals(fit_linear(made, 0.0).matrix)
    np.testing.assert_allclose(np.sort_complex(ours), np.sort_complex(theirs), atol=1e-8)


def test_nothing_grows():
    grown = np.diag([1.3, 0.5, -1.1])
    values = np.linalg.eigvals(stable(grown))
    assert np.abs(values).max() == pytest.approx(MOST_GROWTH)
    assert sorted(values)[1] == pytest.approx(0.5)
    calm = np.diag([0.9, 0.5])
    assert stable(calm) is calm


def test_a_ridge_is_chosen_by_held_out_pairs():
    _, few = pairs(n=12, seed=3)
    _, held = pairs(n=2000, seed=4)
    found, ridge = choose_linear(few, held)
    assert ridge > 0
    assert lost_of(found, held) <= lost_of(fit_linear(few, 0.0), held)


def test_a_step_is_the_matrix_and_differentiable():
    matrix, made = pairs()
    found = fit_linear(made, 0.0)
    z = torch.randn(3, 4, dtype=torch.float64)
    np.testing.assert_allclose(found.step(z, 0).numpy(), z.numpy() @ found.matrix.T)
    (adjoint,) = torch.func.vjp(lambda s: found.step(s, 0), z)[1](torch.ones(3, 4).double())
    np.testing.assert_allclose(adjoint.numpy(), np.ones((3, 4)) @ found.matrix)
    assert matrix.shape == (found.size, found.size)


def test_its_error_is_that_of_held_out_pairs():
    rng = np.random.default_rng(0)
    train, held = (
        Pairs(x, 0.5 * x + sd * rng.standard_normal(x.shape), np.ones(400, np.int64))
        for x, sd in ((rng.standard_normal((400, 3)), 0.1), (rng.standard_normal((400, 3)), 0.3))
    )
    found, _ = choose_linear(train, held)
    assert np.trace(found.error) == pytest.approx(3 * 0.09, rel=0.1)
