import numpy as np
import pytest
import torch

from mlda_core.climate.errors import UserError
from mlda_core.forecast.model_error import DiagonalCovariance, FactoredCovariance

ROOT = np.random.default_rng(0).standard_normal((5, 3))
MADE = [DiagonalCovariance(np.array([1.0, 4.0, 0.0])), FactoredCovariance(ROOT)]


def full(covariance):
    columns = covariance.root(torch.eye(covariance.rank, dtype=torch.float64)).numpy()
    return columns.T @ columns


@pytest.mark.parametrize("covariance", MADE)
def test_root_and_transpose_belong_together(covariance):
    rng = np.random.default_rng(1)
    w = torch.from_numpy(rng.standard_normal((1, covariance.rank)))
    x = torch.from_numpy(rng.standard_normal((1, covariance.size)))
    ahead = float((covariance.root(w) * x).sum())
    assert ahead == pytest.approx(float((w * covariance.root_transposed(x)).sum()))


@pytest.mark.parametrize("covariance", MADE)
def test_variance_and_draws_are_of_the_covariance(covariance):
    assert np.allclose(covariance.variance, np.diag(full(covariance)))
    drawn = covariance.sample(20000, np.random.default_rng(0))
    assert np.allclose(np.cov(drawn.T), full(covariance), atol=0.15)
    assert np.allclose(covariance.scaled(0.25).variance, covariance.variance / 4)


def test_a_matrix_is_factored():
    matrix = ROOT @ ROOT.T
    assert np.allclose(full(FactoredCovariance.of_matrix(matrix)), matrix)


@pytest.mark.parametrize("n", [4, 40])
def test_a_sample_is_factored_without_more_columns_than_it_has_ranks(n):
    states = np.random.default_rng(2).standard_normal((n, 6))
    covariance = FactoredCovariance.of_sample(states)
    assert covariance.rank == min(n, 6)
    assert np.allclose(full(covariance), np.cov(states.T))


@pytest.mark.parametrize(
    ("matrix", "said"),
    [([[1.0, 2.0], [0.0, 1.0]], "symmetric"), ([[1.0, 2.0], [2.0, 1.0]], "negative")],
)
def test_what_is_no_covariance_is_refused(matrix, said):
    with pytest.raises(UserError, match=said):
        FactoredCovariance.of_matrix(matrix)


def test_a_negative_variance_is_refused():
    with pytest.raises(UserError, match="negative"):
        DiagonalCovariance(np.array([1.0, -1.0]))
