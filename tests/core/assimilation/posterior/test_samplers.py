"""Samplers of the posterior against its closed form, and against each other."""

from __future__ import annotations

import numpy as np
import pytest
from exact import at_cells, kalman, standardised, table
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.posterior.innovation_scale import SPREAD_OF_LOG, posterior_scale
from mlda_core.assimilation.posterior.samplers import SAMPLERS
from mlda_core.assimilation.posterior.samplers.multistart import distinct
from mlda_core.assimilation.random_fields import ErrorSampler
from mlda_core.climate.errors import StateError
from mlda_core.observations.standardised import Observed, standardise

MANY = 400
# Those that need no trained prior; samplers/test_guided.py has the other.
UNTRAINED = [key for key in SAMPLERS if key != "guided"]


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("linear"), curved=0.0)


@pytest.fixture(scope="module")
def curved(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("curved"), curved=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("sampler", UNTRAINED)
def test_with_a_linear_decoder_members_are_draws_from_the_kalman_posterior(linear, sampler):
    observations = at_cells(linear, [1, 2, 4, 6, 6], [0, 5, 9, 15, 3], "tas")
    mean, covariance = kalman(linear, observations)
    ensemble = Assimilator(linear).ensemble(observations, 7, sampler=sampler, members=MANY, seed=1)
    # Without rain: its transform bends what lies below zero.
    rows = np.repeat([v.name != "pr" for v in linear.variables], linear.grid.weights.size)
    rows &= linear.mask.ravel()
    x = standardised(ensemble)[:, rows]
    mean, covariance = mean[rows], covariance[np.ix_(rows, rows)]
    sd = np.sqrt(np.diag(covariance))
    standard_errors = (x.mean(axis=0) - mean) / (sd / np.sqrt(MANY))
    # Cells are correlated, so that their mean square is far from exactly one.
    assert np.sqrt(np.mean(standard_errors**2)) < 2.0
    assert np.abs(standard_errors).max() < 5.5
    found = np.cov(x.T)
    error = (found - covariance) / np.outer(sd, sd)
    assert np.sqrt(np.mean(error**2)) < 1.5 / np.sqrt(MANY)
    assert (x.var(axis=0).sum() / np.trace(covariance)) == pytest.approx(1.0, abs=0.08)


@pytest.mark.slow
def test_members_of_a_curved_decoder_fit_the_observations_as_their_errors_say(curved):
    observations = table(curved, 12)
    for sampler in UNTRAINED:
        ensemble = Assimilator(curved).ensemble(observations, 7, sampler=sampler, members=100)
        observed = standardise(observations, curved, 7)
        x = standardised(ensemble).reshape(100, *curved.mask.shape)
        left = curved.operator.apply(observed.places, x) - observed.value
        # Members scatter about the truth that the observations show with their errors.
        ratio = float(np.mean(left**2 / observed.variance))
        assert 0.3 < ratio < 3.0, sampler


def test_perturbed_members_are_minima_of_their_own_costs(curved):
    from mlda_core.assimilation.posterior.batch_cost import BatchCost
    from mlda_core.assimilation.posterior.batch_solver import minimise_batch

    engine = Assimilator(curved)
    problem = engine.preparation.problem(
        standardise(table(curved, 12), curved, 7), np.arange(10), 7, Setting()
    )
    draws = engine.draws.of(problem, 6, 0)
    fit = BatchCost(problem, problem.observed.value - draws.misfit, draws.zeta)
    *_, last = minimise_batch(fit.evaluate, draws.zeta, problem.gain.inverse_hessian)
    assert last.converged.all()
    rng = np.random.default_rng(0)
    for _ in range(5):
        aside = last.x + 0.05 * rng.standard_normal(last.x.shape)
        assert (fit.evaluate(aside, np.arange(6))[0] > last.cost).all()
    cost, gradient = fit.evaluate(draws.zeta, np.arange(6))
    step = 1e-3 * rng.standard_normal(draws.zeta.shape)
    moved = fit.evaluate(draws.zeta + step, np.arange(6))[0]
    back = fit.evaluate(draws.zeta - step, np.arange(6))[0]
    slope = (gradient * step).sum(axis=1)
    np.testing.assert_allclose((moved - back) / 2, slope, rtol=0.02, atol=2e-3 * cost.max())


@pytest.mark.slow
def test_no_observation_returns_the_prior(linear):
    none = table(linear).iloc[:0]
    engine = Assimilator(linear)
    for sampler in UNTRAINED:
        ensemble = engine.ensemble(none, 7, sampler=sampler, members=MANY)
        x = standardised(ensemble)
        prior = engine.posterior_variance(
            standardise(none, linear, 7).places, np.zeros(0), 7
        ).ravel()
        rows = np.repeat([v.name != "pr" for v in linear.variables], linear.grid.weights.size)
        rows &= linear.mask.ravel()
        assert x[:, rows].var(axis=0).sum() / prior[rows].sum() == pytest.approx(1, abs=0.08)


def test_a_larger_error_widens_and_a_withheld_observation_changes_nothing(linear):
    observations = table(linear, 10)
    engine = Assimilator(linear)
    narrow = engine.ensemble(observations, 7)
    wide = engine.ensemble(observations.assign(error_sd=2 * observations["error_sd"]), 7)
    assert np.nansum(wide.spread[2] ** 2) > np.nansum(narrow.spread[2] ** 2)
    more = observations.copy()
    more.loc[len(more)] = {**observations.iloc[0].to_dict(), "value": 3.0, "withheld": True}
    withheld = engine.ensemble(more, 7)
    np.testing.assert_array_equal(withheld.anomalies, narrow.anomalies)
    np.testing.assert_array_equal(withheld.z, narrow.z)


@pytest.mark.slow
def test_two_observations_at_one_place_count_as_one_of_half_the_variance(linear):
    once = at_cells(linear, [2, 5], [3, 10], "tas")
    twice = once.loc[[0, 0, 1, 1]].reset_index(drop=True)
    twice["error_sd"] *= np.sqrt(2)
    engine = Assimilator(linear)
    a, b = (engine.ensemble(t, 7, members=MANY) for t in (once, twice))
    ratio = np.nansum(a.spread[2] ** 2) / np.nansum(b.spread[2] ** 2)
    assert ratio == pytest.approx(1.0, abs=0.03)


def test_the_seed_decides_and_the_same_seed_gives_the_same_bits(curved):
    observations = table(curved, 10)
    first, again = (
        Assimilator(curved).ensemble(observations, 7, sampler="perturbed", members=5, seed=3)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.anomalies, again.anomalies)
    other = Assimilator(curved).ensemble(observations, 7, sampler="perturbed", members=5, seed=4)
    assert np.nanmax(np.abs(other.anomalies - first.anomalies)) > 0.1


def test_a_member_stays_the_same_draw_when_a_station_is_added(linear):
    engine = Assimilator(linear)
    few = engine.ensemble(table(linear, 9, variables=("tas",)).iloc[:-1], 7)
    more = engine.ensemble(table(linear, 9, variables=("tas",)), 7)
    moved = np.nansum((few.anomalies - more.anomalies) ** 2)
    apart = np.nansum((few.anomalies[1:] - more.anomalies[:-1]) ** 2)
    assert moved < 0.5 * apart


@pytest.mark.slow
def test_a_gaussian_method_has_members_in_closed_form_alone(linear):
    observations = table(linear, 10)
    engine = Assimilator(linear)
    ensemble = engine.ensemble(observations, 7, method="enoi", members=MANY)
    assert ensemble.z is None
    spread = engine.run(observations, 7, method="enoi").spread
    assert np.nansum(ensemble.spread[2] ** 2) / np.nansum(spread[2] ** 2) == pytest.approx(
        1, abs=0.1
    )
    with pytest.raises(StateError, match="use laplace"):
        engine.ensemble(observations, 7, method="enoi", sampler="perturbed")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"sampler": "guess"}, "There is no sampler 'guess'"),
        ({"members": 1}, "from 2 to"),
        ({"members": True}, "from 2 to"),
        ({"seed": -1}, "from 0 to"),
        ({"method": "vae_latent_only"}, "without residual analysis"),
        ({"method": "regression"}, "has no prior"),
        ({"background": "climatology"}, "leave background out"),
    ],
)
def test_what_cannot_be_sampled_is_refused_in_a_sentence(linear, wrong, words):
    with pytest.raises(StateError, match=words):
        Assimilator(linear).ensemble(table(linear, 6), 7, **wrong)


def test_distinct_minima_are_counted_once_each():
    inverse_hessian = np.diag([1.0, 0.25])
    ends = np.array([[0.0, 0.0], [0.01, 0.0], [3.0, 0.0], [0.0, 0.02], [3.0, 0.01]])
    chosen = distinct(ends, np.array([1.0, 1.0, 0.5, 1.1, 0.6]), inverse_hessian)
    assert chosen.tolist() == [2, 0]


def test_a_dataset_has_a_member_dimension(linear):
    ensemble = Assimilator(linear).ensemble(table(linear, 8), "1982-07", members=4)
    data = ensemble.to_dataset()
    assert data["tas_member"].dims == ("time", "member", "lat", "lon")
    assert data["z_member"].shape == (1, 4, linear.n_latent)
    np.testing.assert_allclose(
        data["psl_member"][0].values * 0.01, ensemble.anomalies[:, 0], rtol=1e-5, atol=1e-4
    )
    warm = ensemble.probability("tas", 0.0)
    assert set(np.unique(warm[np.isfinite(warm)])) <= {0, 0.25, 0.5, 0.75, 1}
    cold = ensemble.probability("tas", 0.0, below=True)
    np.testing.assert_allclose((warm + cold)[np.isfinite(warm)], 1.0)
    with pytest.raises(StateError, match="no variable 'ts'"):
        ensemble.probability("ts", 0.0)
    assert "4 members" in repr(ensemble)


def test_the_posterior_is_scaled_as_observations_left_out_say(linear):
    """Of departures whose variance is a multiple of the expected one the factor is found."""
    engine = Assimilator(linear)
    observed = standardise(table(linear, 60, variables=("tas",)), linear, 7)
    problem = engine.preparation.problem(observed, np.arange(len(observed)), 7, Setting())
    gain = problem.gain
    row = [v.name for v in linear.variables].index("tas")
    total = np.linalg.inv(gain.total_inverse)
    left_out = 1.0 / np.diag(gain.total_inverse)
    expected = (left_out - gain.variance).sum()
    doubt = 2.0 * (left_out**2).sum() / expected**2
    weight = SPREAD_OF_LOG**2 / (SPREAD_OF_LOG**2 + doubt)
    rng = np.random.default_rng(2)
    for factor in (0.6, 1.0, 2.0):
        root = np.linalg.cholesky(total)
        # Left-out departures of variance factor * a + R: draws of the total, scaled.
        scale = np.sqrt((factor * expected + gain.variance.sum()) / left_out.sum())
        drawn = [scale * (root @ rng.standard_normal(len(observed))) for _ in range(40)]
        found = np.array([posterior_scale(gain, d, len(linear.variables)) for d in drawn])
        # Forty estimates; the logarithm of one that is in doubt is less than that of its mean.
        tolerance = 4 * weight * np.sqrt(doubt / 40) + 0.75 * weight * doubt
        assert np.log(found[:, row]).mean() == pytest.approx(weight * np.log(factor), abs=tolerance)
        assert (np.delete(found, row, axis=1) == 1.0).all()
    assert weight > 0.3


@pytest.mark.slow
def test_an_observed_sea_leaves_the_error_of_its_own_analysis(linear):
    """In a world drawn from the prior, members differ from the truth as from each other."""
    engine = Assimilator(linear)
    sea = linear.sea_row
    rows, columns = np.nonzero(linear.mask[sea])
    places = linear.operator.locate(
        np.full(rows.size, sea), linear.grid.lat[rows], linear.grid.lon[columns]
    )
    error, rng = 0.3, np.random.default_rng(0)
    variance = np.full(rows.size, error**2)
    setting = Setting()
    prior = ErrorSampler(
        engine.preparation.sea.gain(Observed(places, np.zeros(rows.size), variance), 7).prior.error,
        30,
        [9, 9],
        only=sea,
    ).cells.reshape(30, *linear.grid.shape)
    met = expected = 0.0
    for truth in prior:
        values = truth[rows, columns] + error * rng.standard_normal(rows.size)
        problem = engine.preparation.problem(
            Observed(places, values, variance), np.arange(rows.size), 7, setting
        )
        assert problem.sea_held
        draws = engine.draws.of(problem, 60, 0)
        (last,) = SAMPLERS["laplace"].sample(problem, draws)
        members = last.sampled.x.reshape(60, *linear.mask.shape)[:, sea]
        there = linear.mask[sea]
        met += ((members.mean(axis=0) - truth)[there] ** 2).sum()
        expected += members.var(axis=0, ddof=1)[there].sum()
    assert np.sqrt(expected / met) == pytest.approx(1.0, abs=0.15)


@pytest.mark.slow
def test_a_down_weighted_observation_has_the_error_that_its_weight_says(linear):
    observations = table(linear, 12, variables=("tas",))
    observations.loc[3, "value"] += 40 * observations.loc[3, "error_sd"]
    engine = Assimilator(linear)
    robust = engine.ensemble(observations, 7, members=MANY, robust=True)
    weight = robust.analysis.observations["robust_weight"]
    assert weight[3] < 0.05
    # As if its error had been stated as large as that.
    stated = observations.assign(error_sd=observations["error_sd"] / np.sqrt(weight))
    other = engine.ensemble(stated, 7, members=MANY)
    ratio = np.nansum(robust.spread[2] ** 2) / np.nansum(other.spread[2] ** 2)
    assert ratio == pytest.approx(1.0, abs=0.1)


def test_starts_that_do_not_converge_are_no_minima(curved):
    few = Assimilator(curved).ensemble(
        table(curved, 12), 7, sampler="multistart", members=5, max_steps=1
    )
    assert "not converged" in few.outcome
    enough = Assimilator(curved).ensemble(table(curved, 12), 7, sampler="multistart", members=2)
    assert enough.outcome.startswith("20 starts")
    assert "not converged" not in enough.outcome


@pytest.mark.slow
def test_events_are_counted_among_the_members(linear):
    ensemble = Assimilator(linear).ensemble(table(linear).iloc[:0], 7, members=MANY)
    names = [v.name for v in linear.variables]
    tas = names.index("tas")
    # Without observations a fifth of the states lies in each fifth of the months.
    for event in ("upper", "lower"):
        share = ensemble.event_probability(event)[tas]
        assert float(share.mean()) == pytest.approx(0.2, abs=0.05)
    np.testing.assert_array_equal(
        ensemble.event_probability("above")[tas], ensemble.probability("tas", 0.0)
    )
    with pytest.raises(StateError, match="no event 'often'"):
        ensemble.event_probability("often")
