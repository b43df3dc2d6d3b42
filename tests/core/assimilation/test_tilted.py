"""The posterior at one observation, against the analysis without it and by quadrature."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from kind_posteriors import prepared, rows
from scipy import integrate

from mlda_core.assimilation.mode import modes_of
from mlda_core.assimilation.tilted import cavity, shape_of, tilted, tilted_mode
from mlda_core.observations.kind import Terms

TEXT = (
    "tas,50,10,much colder,,report,,\ntas,45,14,colder,,report,,\npsl,55,0,2,1,lower_bound,,\n"
    "tas,48,12,-1,0.5,,,\n"
)


@pytest.fixture(scope="module")
def mode(linear):
    _, problem = prepared(linear, rows(linear, TEXT))
    return modes_of(problem)[0]


@pytest.fixture(scope="module")
def background(linear, mode):
    x_b = mode.problem.x_b.reshape(linear.mask.shape)
    return linear.operator.apply(mode.problem.observed.places, x_b).astype(float)


def test_the_cavity_is_the_analysis_without_the_row(mode, background):
    mean, variance = cavity(mode)
    gain, observed = mode.problem.gain, mode.problem.observed
    prior = gain.error_covariance + gain.latent @ gain.latent.T
    for i in range(len(observed)):
        others = np.arange(len(observed)) != i
        total = prior[np.ix_(others, others)] + np.diag(observed.variance[others])
        weights = np.linalg.solve(total, prior[others, i])
        expected = background[i] + weights @ (observed.value - background)[others]
        assert mean[i] == pytest.approx(expected, abs=5e-3)
        assert variance[i] == pytest.approx(prior[i, i] - weights @ prior[others, i], rel=1e-6)


def test_skewness_is_that_of_the_cavity_times_the_likelihood(mode):
    likelihoods = mode.problem.observed.likelihoods
    mean, variance = cavity(mode)
    shape = shape_of(mode, likelihoods, 1)
    sd = np.sqrt(variance)
    for i in range(3):
        one = likelihoods.where(np.array([i]))

        def density(f, i=i, one=one):
            normal = np.exp(-0.5 * (f - mean[i]) ** 2 / variance[i])
            return float(normal * np.exp(-one.cost(np.array([f]))[0]))

        ends = mean[i] - 8 * sd[i], mean[i] + 8 * sd[i]

        def moment(function, density=density, ends=ends):
            return integrate.quad(lambda f: function(f) * density(f), *ends, limit=200)[0]

        mass = moment(lambda _: 1.0)
        centre = moment(lambda f: f) / mass
        second, third = (moment(lambda f, n=n: (f - centre) ** n) / mass for n in (2, 3))  # noqa: B023
        assert shape.skewness[i] == pytest.approx(third / second**1.5, abs=2e-3)
    # Towards the end of the line that the class leaves open.
    assert shape.skewness[0] < -0.01


def test_rows_with_normal_errors_are_normal(mode):
    shape = shape_of(mode, mode.problem.observed.likelihoods, 3)
    assert shape.skewness[3] == 0.0
    assert shape.modes.tolist() == [1, 1, 1, 1]
    assert shape.n_minima == 3


def test_a_heavy_tailed_value_that_others_oppose_has_two_modes_there(mode):
    """One is where it says, one where the others say; of a normal error there is one between."""
    mean, variance = cavity(mode)
    counts = {}
    for key in ("student_t", "value"):
        for away in (0.0, 3.5, 6.0):
            n = len(mean)
            said = mean + away * np.sqrt(variance)
            none, sd = np.full(n, np.nan), 0.1 * np.sqrt(variance)
            stated = mode.problem.observed.likelihoods
            likelihoods = replace(
                stated,
                kinds=np.full(n, key),
                terms=Terms(said, none, none, sd, np.ones(n)),
            )
            counts[key, away] = shape_of(mode, likelihoods, 1).modes.tolist()
    assert counts["student_t", 3.5] == [2] * len(mean)
    assert counts["student_t", 0.0] == [1] * len(mean)
    # Nearly all of the density is at one of them.
    assert counts["student_t", 6.0] == [1] * len(mean)
    assert counts["value", 3.5] == [1] * len(mean)


def test_ranks_are_of_what_the_others_say_and_a_bound_has_none(linear, mode):
    _, problem = prepared(linear, rows(linear, TEXT))
    likelihoods = problem.observed.likelihoods
    shape = shape_of(mode, likelihoods, 1)
    mean, variance = cavity(mode)
    below, _ = likelihoods.predicted(mean, variance)
    assert np.isnan([shape.below[2], shape.upto[2]]).all()
    kept = np.array([0, 1, 3])
    assert shape.below[kept] == pytest.approx(below[kept])
    # The lowest class has nothing below it; a value is one number.
    assert shape.below[0] == 0
    assert (shape.upto > shape.below)[:2].all()
    assert shape.upto[3] == shape.below[3]


def test_the_tilted_density_has_the_moments_of_quadrature_and_its_mode_no_slope(linear):
    _, problem = prepared(linear, rows(linear, TEXT))
    for row in range(4):
        one = problem.observed.likelihoods.where(np.array([row]))
        f, share = tilted(one, -0.4, 0.3)

        def weight(x, power=0, one=one):
            cost = one.cost(np.array([x]))[0] + 0.5 * (x + 0.4) ** 2 / 0.3
            return x**power * np.exp(-cost)

        total, first = (integrate.quad(weight, -6, 6, args=(p,), limit=200)[0] for p in (0, 1))
        assert share.sum() == pytest.approx(1)
        assert share @ f == pytest.approx(first / total, abs=1e-4)
        at = tilted_mode(one, -0.4, 0.3)
        slope = (at + 0.4) / 0.3 + one.slope(np.array([at]))[0]
        assert slope == pytest.approx(0, abs=1e-3)
