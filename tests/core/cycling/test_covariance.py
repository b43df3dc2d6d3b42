import numpy as np
import pytest
import torch

from mlda_core.climate.seasons import MONTHLY
from mlda_core.cycling.covariance import (
    Gaussian,
    LocalisedSample,
    TimesOfYear,
    columns,
    observed_covariance,
)
from mlda_core.cycling.localisation import on_a_circle
from mlda_core.cycling.operators import LinearOperator, NonlinearOperator
from mlda_core.forecast.model_error import DiagonalCovariance, FactoredCovariance

RNG = np.random.default_rng(0)
ANOMALIES = RNG.standard_normal((5, 8))
AT = np.array([1, 4, 7])
OPERATOR = LinearOperator.of_components(AT, 8, AT[:, None].astype(float))


@pytest.mark.parametrize(
    ("covariance", "matrix"),
    [
        (DiagonalCovariance(np.arange(8.0)), np.diag(np.arange(8.0))),
        (FactoredCovariance(ANOMALIES.T), ANOMALIES.T @ ANOMALIES),
        (LocalisedSample(ANOMALIES, on_a_circle(8, 1e6)), ANOMALIES.T @ ANOMALIES),
    ],
)
def test_columns_are_those_of_the_matrix(covariance, matrix):
    h = OPERATOR.matrix_at(np.zeros(8))
    cross, between = columns(covariance, OPERATOR, np.zeros(8))
    assert np.allclose(cross, matrix @ h.T)
    assert np.allclose(between, h @ matrix @ h.T)
    assert np.allclose(observed_covariance(covariance, OPERATOR, np.zeros(8)), between)
    assert np.allclose(covariance.variance, np.diag(matrix))
    assert np.allclose(covariance.scaled(4.0).variance, 4 * np.diag(matrix))


def test_a_localised_sample_is_tapered_and_positive():
    local = LocalisedSample(ANOMALIES, on_a_circle(8, 1.0))
    cross, between = columns(local, OPERATOR, np.zeros(8))
    # 3 is two or more half-widths from 1 (and 1 from 1 none).
    assert not cross[3:5, 0].any()
    assert cross[1, 0] == pytest.approx(local.variance[1])
    assert np.linalg.eigvalsh(between)[0] >= 0


def time(month):
    return np.datetime64(f"2001-{month:02d}-01")


def test_a_sample_of_the_time_of_year_is_that_of_the_season_s_members():
    rng = np.random.default_rng(1)
    months = np.repeat(np.arange(1, 13), 400)
    spread = np.where((months <= 2) | (months == 12), 3.0, 1.0)
    members = rng.standard_normal((len(months), 4)) * spread[:, None] / np.sqrt(len(months))
    times = TimesOfYear(months, MONTHLY, 0.3, 0.0)
    sample = LocalisedSample(members, on_a_circle(4, 10.0), times)
    assert sample.at(time(1)).variance == pytest.approx(9.0 * np.ones(4), rel=0.15)
    assert sample.at(time(7)).variance == pytest.approx(np.ones(4), rel=0.15)
    # Members of other seasons are not carried along.
    assert len(sample.at(time(7)).anomalies) < len(members) / 3
    assert sample.at(time(7)) is sample.at(np.datetime64("2013-07-31"))
    # With wide weights all months are alike, and scaling keeps the times of year.
    wide = LocalisedSample(members, sample.localisation, TimesOfYear(months, MONTHLY, 1e3, 0.0))
    assert wide.scaled(4.0).at(time(7)).variance == pytest.approx(4.0 * sample.variance, rel=1e-4)
    assert sample.scaled(4.0).at(time(1)).variance == pytest.approx(
        4.0 * sample.at(time(1)).variance
    )
    climatology = Gaussian(np.zeros(4), sample)
    assert climatology.at(time(1)).covariance is sample.at(time(1))


def test_a_nonlinear_operator_is_taken_at_the_state():
    square = NonlinearOperator(lambda x: x[..., :1] ** 2, 1)
    cross, between = columns(DiagonalCovariance(np.ones(2)), square, np.array([3.0, 0.0]))
    assert np.allclose(cross, [[6.0], [0.0]])
    assert between == pytest.approx(np.array([[36.0]]))


def test_a_gaussian_draws_what_it_says():
    gaussian = Gaussian.of_sample(ANOMALIES + 3)
    drawn = gaussian.sample(20000, np.random.default_rng(0))
    assert np.allclose(drawn.mean(axis=0), (ANOMALIES + 3).mean(axis=0), atol=0.05)
    assert np.allclose(np.cov(drawn.T), np.cov(ANOMALIES.T), atol=0.15)
    assert gaussian.at("2001-01-01") is gaussian


def dense_root(covariance):
    return covariance.root(torch.eye(covariance.rank, dtype=torch.float64)).numpy().T


def test_the_root_of_a_localised_sample_gives_its_covariance():
    local = LocalisedSample(ANOMALIES, on_a_circle(8, 2.0))
    root = dense_root(local)
    whole = LinearOperator.of_components(np.arange(8), 8, np.arange(8.0)[:, None])
    cross, _ = columns(local, whole, np.zeros(8))
    assert np.allclose(root @ root.T, cross, atol=0.05 * np.abs(cross).max())
    # Modes that are left out take no variance with them.
    assert np.allclose(np.diag(root @ root.T), local.variance, rtol=1e-5)


@pytest.mark.parametrize(
    "covariance",
    [
        DiagonalCovariance(np.arange(8.0)),
        FactoredCovariance(ANOMALIES.T),
        LocalisedSample(ANOMALIES, on_a_circle(8, 2.0)),
    ],
)
def test_roots_are_transposed_by_their_transposes(covariance):
    states = torch.from_numpy(RNG.standard_normal((3, 8)))
    weights = torch.from_numpy(RNG.standard_normal((3, covariance.rank)))
    forward = (covariance.root(weights) * states).sum(dim=1)
    back = (covariance.root_transposed(states) * weights).sum(dim=1)
    assert torch.allclose(forward, back, atol=1e-4)


def test_a_localised_sample_draws_what_it_says():
    local = LocalisedSample(ANOMALIES, on_a_circle(8, 2.0))
    drawn = local.sample(20000, np.random.default_rng(0))
    root = dense_root(local)
    assert np.allclose(np.cov(drawn.T), root @ root.T, atol=0.15)


def test_a_product_is_that_of_the_roots():
    sample = LocalisedSample(ANOMALIES, on_a_circle(8, 2.0, batch=2))
    states = torch.from_numpy(RNG.standard_normal((3, 8)))
    wanted = sample.root(sample.root_transposed(states))
    assert torch.allclose(sample.product(states), wanted, atol=1e-5)
