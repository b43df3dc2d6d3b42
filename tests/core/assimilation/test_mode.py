"""Modes of posteriors whose observations have errors that are not normal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exact import table
from kind_posteriors import prepared, rows

from mlda_core.assimilation.analysis import Cost
from mlda_core.assimilation.mode import MOST_ROUNDS, TOLERANCE, ModeSearch, distinct_modes
from mlda_core.climate.interpolation import ObservationError

MIXED = "tas,50,10,much colder,,report,,\npsl,55,0,2,1,lower_bound,,\npsl,30,20,1,1,,,\n"
HEAVY = "tas,50,10,-4,0.3,student_t,,\ntas,50,11,1,0.3,,,\n"


def search_of(bundle, text):
    _, problem = prepared(bundle, rows(bundle, text))
    return ModeSearch(problem)


def minimum(search):
    *_, last = search.search(search.origin)
    return last


def test_values_alone_have_nothing_to_iterate(linear):
    _, problem = prepared(linear, table(linear, 3))
    with pytest.raises(ValueError, match="all observations are values"):
        ModeSearch(problem)


@pytest.mark.parametrize("text", [MIXED, HEAVY])
def test_at_the_mode_of_a_linear_decoder_the_gradient_is_zero(linear, text):
    search = search_of(linear, text)
    mode = minimum(search)
    assert mode.converged
    slope = search.likelihoods.slope(mode.at)
    gain = search.gain
    # Of zeta and of the representation error u, whose Q^-1 u is kept.
    np.testing.assert_allclose(mode.zeta, -gain.latent.T @ slope, atol=5e-3)
    np.testing.assert_allclose(mode.weights, -slope, atol=5e-3)
    u = gain.error_covariance @ mode.weights
    np.testing.assert_allclose(mode.at, search.origin + gain.latent @ mode.zeta + u, atol=2e-3)
    state = 0.5 * float(mode.zeta @ mode.zeta)
    left = 0.5 * float(mode.weights @ u) + float(search.likelihoods.cost(mode.at).sum())
    assert mode.cost.total == pytest.approx(state + left, abs=1e-6)


@pytest.mark.parametrize("text", [MIXED, HEAVY])
def test_no_round_raises_the_cost_of_a_curved_decoder(curved, text):
    search = search_of(curved, text)
    first, *found = search.search(search.origin)
    # The linearised problem, whose cost is of another decoder.
    assert (first.rounds, first.converged) == (0, False)
    totals = np.array([mode.cost.total for mode in found])
    assert (np.diff(totals) <= TOLERANCE).all()
    assert [mode.rounds for mode in found] == list(range(1, len(found) + 1))
    assert [mode.converged for mode in found] == [False] * (len(found) - 1) + [True]
    assert len(found) < MOST_ROUNDS


def test_pseudo_observations_stand_in_the_rows_places_and_leave_the_problem_as_it_is(linear):
    search = search_of(linear, MIXED)
    before = search.problem.every.value.copy()
    at = search.origin + 0.3
    curvature = search.likelihoods.curvature(at)
    found = search.pseudo(at, curvature)
    value, variance = search.likelihoods.pseudo(at, curvature)
    np.testing.assert_array_equal(found.observed.value, value)
    np.testing.assert_array_equal(found.observed.variance, variance)
    np.testing.assert_array_equal(found.gain.variance, variance)
    np.testing.assert_array_equal(search.problem.every.value, before)
    # The last row is a value already.
    assert value[-1] == search.likelihoods.terms.value[-1]


def test_the_last_problem_has_the_curvatures_at_the_mode(linear):
    search = search_of(linear, HEAVY)
    mode = minimum(search)
    np.testing.assert_allclose(
        1 / mode.problem.observed.variance, search.likelihoods.curvature(mode.at)
    )


def test_only_likelihoods_with_several_minima_are_started_where_rows_say(linear):
    (background,) = search_of(linear, MIXED).starts()
    assert background.shape == (3,)
    search = search_of(linear, HEAVY + "tas,40,20,colder,,report,,\n")
    background, stated = search.starts()
    np.testing.assert_array_equal(background, search.origin)
    np.testing.assert_array_equal(stated[:2], search.likelihoods.terms.value[:2])
    # A report says no value.
    assert stated[2] == search.origin[2]


def test_a_latent_vector_is_weighed_with_the_best_representation_error(linear):
    search = search_of(linear, MIXED)
    mode = minimum(search)
    assert search.weighed(mode.zeta).total == pytest.approx(mode.cost.total, rel=1e-3)
    aside = mode.zeta + 0.5
    assert search.weighed(aside).total > mode.cost.total
    # No other representation error costs less.
    seen = search._observe(aside)
    weights = np.random.default_rng(0).normal(0.0, 0.2, (20, 3))
    others = [search._cost(aside, w, seen + search.gain.error_covariance @ w) for w in weights]
    assert search.weighed(aside).total <= min(cost.total for cost in others)


def test_an_observation_beyond_all_numbers_is_refused_with_a_remedy(linear):
    search = search_of(linear, MIXED)
    terms = search.likelihoods.terms
    far = terms._replace(low=np.where(np.isfinite(terms.low), 1e200, terms.low))
    search.likelihoods = replace(search.likelihoods, terms=far)
    with pytest.raises(ObservationError, match="raise its error or withhold it"):
        minimum(search)


def test_minima_are_distinct_by_half_a_standard_deviation_and_the_lowest_is_first(linear):
    mode = minimum(search_of(linear, HEAVY))
    gain = mode.problem.gain
    sd = np.sqrt(gain.variance - gain.variance**2 * np.diag(gain.total_inverse))
    total = mode.cost.total

    def moved(by, cost, **more):
        return replace(mode, at=mode.at + by * sd, cost=Cost(cost, 0.0), **more)

    near, far, unsure = (
        moved(0.4, total + 2),
        moved([0.0, 0.6], total + 1),
        moved(3.0, total - 1, converged=False),
    )
    assert distinct_modes([near, far, mode, unsure]) == [mode, far]
    # Where none has converged all count.
    ends = [replace(end, converged=False) for end in (near, far, mode)]
    assert distinct_modes([*ends, unsure]) == [unsure, ends[2], ends[1]]
