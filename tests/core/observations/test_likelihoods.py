"""Likelihoods of rows of all kinds together."""

from __future__ import annotations

import numpy as np
import pytest
from kind_rows import kind_rows

from mlda_core.observations.kinds import KINDS
from mlda_core.observations.standardised import standardise

ROWS = (
    "tas,50,10,colder,0.5,report,\npsl,55,0,2,1,lower_bound,\ntas,40,20,-3,0.5,student_t,\n"
    "psl,,,2,1,mean,north\ntas,30,20,usual,0.5,report,\npsl,30,20,1,1,upper_bound,\n"
    "tas,30,40,1,0.5,,\n"
)
N = ROWS.count("\n")
QUADRATIC = [False, False, False, True, False, False, True]


@pytest.fixture(scope="module")
def table(linear):
    return kind_rows(linear, ROWS)


@pytest.fixture(scope="module")
def likelihoods(linear, table):
    return standardise(table, linear, 7).likelihoods


@pytest.fixture(scope="module")
def f():
    return np.random.default_rng(0).standard_normal((3, N))


@pytest.mark.parametrize("name", ["cost", "slope", "curvature", "weight"])
def test_each_row_has_the_likelihood_of_its_own_kind(likelihoods, f, name):
    """Rows of one kind need not be neighbours."""
    found = getattr(likelihoods, name)(f)
    for i, key in enumerate(likelihoods.kinds):
        one = likelihoods.terms.where(np.array([i]))
        np.testing.assert_array_equal(
            found[:, [i]], getattr(KINDS[key], name)(f[:, [i]], one), err_msg=key
        )


def test_misfits_and_auxiliary_values_are_those_of_the_kinds(likelihoods, f):
    variance = np.linspace(0.1, 1.0, N)
    misfit = likelihoods.misfit(f[0], variance)
    value, error = likelihoods.utility(f, np.random.default_rng(0))
    assert value.shape == (3, N)
    for i, key in enumerate(likelihoods.kinds):
        one = likelihoods.terms.where(np.array([i]))
        assert misfit[i] == KINDS[key].misfit(f[0, [i]], variance[[i]], one)[0]
        _, expected = KINDS[key].utility(f[:, [i]], one, np.random.default_rng(0))
        assert error[i] == expected[0]
    drawn = np.isfinite(likelihoods.terms.low)
    assert (value[:, drawn] >= likelihoods.terms.low[drawn]).all()
    np.testing.assert_array_equal(value[0, QUADRATIC], likelihoods.terms.value[QUADRATIC])


def test_which_rows_are_normal_and_whether_there_is_one_minimum(likelihoods):
    assert likelihoods.quadratic.tolist() == QUADRATIC
    assert not likelihoods.log_concave
    assert likelihoods.where(likelihoods.kinds != "student_t").log_concave
    assert likelihoods.at_place.tolist() == [True, True, True, False, True, True, True]


def test_rows_that_are_taken_keep_all_that_is_theirs(likelihoods, f):
    chosen = np.array([5, 0, 3])
    part = likelihoods.where(chosen)
    assert len(part) == 3
    np.testing.assert_array_equal(part.cost(f[:, chosen]), likelihoods.cost(f)[:, chosen])
    np.testing.assert_array_equal(part.departure(f[0, chosen]), likelihoods.departure(f[0])[chosen])
    assert part.shown.names == [likelihoods.shown.names[i] for i in chosen]
    assert len(likelihoods.where(np.zeros(N, bool))) == 0


def test_pseudo_observations_have_the_slopes_and_the_curvatures_of_the_rows(likelihoods, f):
    at = f[0]
    curvature = likelihoods.weight(at)
    value, variance = likelihoods.pseudo(at, curvature)
    np.testing.assert_allclose((at - value) / variance, likelihoods.slope(at), rtol=1e-12)
    np.testing.assert_allclose(1 / variance, curvature, rtol=1e-12)
    # A row with a normal error is itself, whatever curvature is asked for.
    value, variance = likelihoods.pseudo(at, 7.0 * curvature)
    normal = likelihoods.quadratic
    np.testing.assert_array_equal(value[normal], likelihoods.terms.value[normal])
    np.testing.assert_array_equal(variance[normal], likelihoods.terms.sd[normal] ** 2)


def test_departures_are_in_display_units_and_of_an_interval_the_distance_to_it(likelihoods, table):
    at = np.zeros(N)
    at[1], at[5] = -1.5, 4.0
    found = likelihoods.departure(at)
    # A lower bound of 2 that is 3.5 too high, an upper bound of 1 that is 3 too low.
    assert (found[1], found[5]) == (3.5, -3.0)
    values = [2, 3, 6]
    np.testing.assert_array_equal(found[values], table["value"].to_numpy()[values])
    at[1], at[5] = 2.5, 0.5
    np.testing.assert_array_equal(likelihoods.departure(at)[[1, 5]], 0.0)
    # Usual is about the middle of the climate.
    assert found[4] == 0.0
    assert found[0] < 0.0
