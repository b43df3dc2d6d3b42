"""Kinds that say an interval, against scipy's truncated normal distribution and quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from kind_rows import terms
from scipy import integrate, stats

from mlda_core.observations.intervals import log_mass
from mlda_core.observations.kind import LEAST_CURVATURE, Terms
from mlda_core.observations.kinds import KINDS

REPORT = KINDS["report"]


def between(low, high, sd=0.5):
    ends = np.atleast_1d(np.asarray(low, float)), np.atleast_1d(np.asarray(high, float))
    none = np.full(ends[0].size, np.nan)
    return Terms(none, *ends, np.full(ends[0].size, sd), none)


@pytest.mark.parametrize("key", ["report", "lower_bound", "upper_bound"])
def test_auxiliary_values_are_truncated_normal(key):
    kind = KINDS[key]
    said = terms(kind, [2.0 if kind.classes else 1.0])
    f = np.full((20_000, 1), 0.3)
    value, variance = kind.utility(f, said, np.random.default_rng(0))
    assert ((value > said.low) & (value < said.high)).all()
    assert variance[0] == said.sd[0] ** 2
    a, b = (said.low[0] - 0.3) / said.sd[0], (said.high[0] - 0.3) / said.sd[0]
    exact = stats.truncnorm(a, b, loc=0.3, scale=said.sd[0])
    assert value.mean() == pytest.approx(exact.mean(), abs=4 * exact.std() / np.sqrt(20_000))
    assert stats.kstest(value[:, 0], exact.cdf).pvalue > 1e-3


def test_the_mass_far_in_a_tail_keeps_its_digits():
    assert log_mass(np.array([50.0]), np.array([51.0]))[0] == pytest.approx(
        stats.norm.logsf(50.0), abs=1e-6
    )
    # Both tails alike; the whole line has all the mass.
    left, right, whole = log_mass(np.array([-9.0, 8.0, -np.inf]), np.array([-8.0, 9.0, np.inf]))
    assert left == pytest.approx(right, rel=1e-14)
    assert whole == 0.0


def test_the_mass_is_the_integral_of_the_density():
    a, b = np.array([-2.0, -0.3, 0.5, 3.0, 6.0]), np.array([-1.5, 0.4, 0.5001, 7.0, 6.1])
    exact = [integrate.quad(stats.norm.pdf, *ends, epsabs=0)[0] for ends in zip(a, b, strict=True)]
    np.testing.assert_allclose(log_mass(a, b), np.log(exact), rtol=1e-8)


def test_the_cost_is_the_probability_that_value_and_error_fall_into_the_interval():
    said = between([-1.0, 0.2, -np.inf], [0.5, np.inf, 1.0])
    f = np.array([0.3, -0.8, 1.7])
    exact = [
        integrate.quad(stats.norm(at, 0.5).pdf, max(low, at - 20), min(high, at + 20))[0]
        for at, low, high in zip(f, said.low, said.high, strict=True)
    ]
    np.testing.assert_allclose(REPORT.cost(f, said), -np.log(exact), rtol=1e-6)


def test_the_curvature_is_what_the_interval_takes_of_the_latent_value_s_variance():
    said, f = between([-1.0], [0.5]), np.array([0.3])
    inside = stats.truncnorm(-2.6, 0.4, loc=0.3, scale=0.5)
    taken = 1.0 - inside.var() / 0.25
    assert REPORT.curvature(f, said)[0] == pytest.approx(taken / 0.25, rel=1e-6)
    assert REPORT.slope(f, said)[0] == pytest.approx((0.3 - inside.mean()) / 0.25, rel=1e-6)
    # A narrow interval is a value, and the whole line says nothing.
    narrow, whole = between([0.3], [0.3 + 1e-4]), between([-np.inf], [np.inf])
    assert REPORT.curvature(f, narrow)[0] == pytest.approx(4.0, rel=1e-4)
    assert REPORT.curvature(f, whole)[0] == pytest.approx(LEAST_CURVATURE * 4.0)
    assert REPORT.slope(f, whole)[0] == 0.0


def test_auxiliary_values_stay_in_an_interval_far_from_the_state():
    said = between([4.0, -4.1], [4.1, -4.0], sd=0.05)
    value, _ = REPORT.utility(np.zeros((500, 2)), said, np.random.default_rng(0))
    assert ((value >= said.low) & (value <= said.high)).all()
    # Eighty errors off nearly all is at the nearer end.
    np.testing.assert_allclose(np.abs(value), 4.0, atol=0.01)


def test_the_misfit_is_the_distance_to_the_nearer_end_and_zero_within():
    said = between([-1.0] * 3, [1.0] * 3, sd=0.6)
    found = REPORT.misfit(np.array([-3.0, 0.9, 1.5]), np.full(3, 0.64), said)
    np.testing.assert_allclose(found, [2.0, 0.0, -0.5])
