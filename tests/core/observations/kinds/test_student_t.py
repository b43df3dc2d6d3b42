"""A value whose error has heavy tails."""

from __future__ import annotations

import numpy as np
import pytest
from kind_rows import kind_rows, terms, why_refused
from scipy import stats

from mlda_core.observations.kinds import KINDS, kind_of
from mlda_core.observations.kinds.student_t import KIND


def test_many_degrees_of_freedom_are_a_normal_error():
    value, t = terms(KINDS["value"], [0.7]), terms(KIND, [0.7])
    t = t._replace(parameter=np.array([1e8]))
    f = np.array([-0.4])
    for name in ("cost", "slope", "curvature", "weight"):
        found = getattr(KIND, name)(f, t)
        np.testing.assert_allclose(found, getattr(KINDS["value"], name)(f, value), rtol=1e-6)


@pytest.mark.parametrize("freedom", [1.0, 4.0, 30.0])
def test_the_cost_is_the_density_of_the_t_distribution(freedom):
    f = np.linspace(-5.0, 5.0, 11)[:, None]
    said = terms(KIND, [0.7])._replace(parameter=np.array([freedom]))
    exact = stats.t(freedom, loc=0.7, scale=0.4)
    expected = exact.logpdf(0.7) - exact.logpdf(f)
    np.testing.assert_allclose(KIND.cost(f, said), expected, atol=1e-12)


def test_a_gross_mistake_loses_its_weight():
    """Its pull is largest at sqrt(nu) errors and falls beyond, and its curvature is negative."""
    said = terms(KIND, [0.0], sd=1.0)
    near, far, farther = KIND.slope(np.array([[2.0], [10.0], [100.0]]), said)[:, 0]
    assert near > far > farther > 0
    # The weight is of a normal error: as at the middle there is none, so it is above one.
    assert KIND.weight(np.zeros(1), said)[0] == pytest.approx(5 / 4)
    assert KIND.weight(np.array([100.0]), said)[0] < 1e-3
    assert not KIND.log_concave


def test_auxiliary_values_are_the_state_but_for_a_small_error():
    f = np.linspace(-1, 1, 5_000)[:, None]
    value, variance = KIND.utility(f, terms(KIND, [0.7]), np.random.default_rng(0))
    assert (value - f).std() == pytest.approx(np.sqrt(variance[0]), rel=0.05)
    assert variance[0] < 0.05**2


def test_the_misfit_counts_the_spread_of_what_others_say():
    said = terms(KIND, [1.0], sd=0.6)
    assert KIND.misfit(np.array([0.0]), np.array([0.64]), said)[0] == pytest.approx(1.0)


def test_degrees_of_freedom_are_read_and_must_be_above_zero(linear):
    row = kind_rows(linear, "tas,30,40,1,,student_t(8),\n").iloc[0]
    assert kind_of(row["kind"]) == (KIND, 8.0)
    for number in ("0", "-1", "inf"):
        assert "degrees of freedom" in why_refused(linear, f"tas,50,10,1,,student_t({number}),")
