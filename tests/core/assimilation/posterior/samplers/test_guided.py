"""The sampler of a diffusion prior: exact where all is normal."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from exact import at_cells, kalman, table
from kind_rows import kind_rows
from priors import jolted
from small import make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.posterior.samplers.guided import SAMPLER
from mlda_core.assimilation.validation import setting_of
from mlda_core.bundle.bundle import load_bundle
from mlda_core.bundle.writing import add_prior
from mlda_core.climate.errors import BundleError, StateError
from mlda_core.observations.standardised import standardise

MANY = 400
# With the exact denoiser of N(0, I), so that nothing depends on a training.
EXACT = dataclasses.replace(SAMPLER, prior="gaussian")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A curved decoder, and a diffusion prior that is not N(0, I)."""
    bundle = make_small(tmp_path_factory.mktemp("curved"), curved=0.03)
    prior = jolted("diffusion", bundle.n_latent, 0.03)
    add_prior(bundle, "diffusion", prior, {})
    return load_bundle(bundle.path)


def members(bundle, observations, sampler=EXACT, n=MANY, seed=1):
    """Standardised members, (n, cells), and the problem."""
    engine = Assimilator(bundle)
    observed = standardise(observations, bundle, 7)
    problem = engine.preparation.problem(observed, np.arange(len(observed)), 7, setting_of({}))
    draws = engine.draws.of(problem, n, seed)
    *steps, last = sampler.sample(problem, draws)
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert all(step.sampled is None for step in steps)
    return last.sampled, problem


@pytest.mark.slow
def test_with_a_linear_decoder_members_are_draws_from_the_kalman_posterior(linear):
    observations = at_cells(linear, [1, 2, 4, 6, 6], [0, 5, 9, 15, 3], "tas")
    mean, covariance = kalman(linear, observations)
    sampled, _ = members(linear, observations)
    rows = linear.mask.ravel()
    x, mean, covariance = sampled.x[:, rows], mean[rows], covariance[np.ix_(rows, rows)]
    sd = np.sqrt(np.diag(covariance))
    standard_errors = (x.mean(axis=0) - mean) / (sd / np.sqrt(MANY))
    # Cells are correlated, so that their mean square is far from exactly one.
    assert np.sqrt(np.mean(standard_errors**2)) < 2.0
    assert np.abs(standard_errors).max() < 5.5
    error = (np.cov(x.T) - covariance) / np.outer(sd, sd)
    assert np.sqrt(np.mean(error**2)) < 1.5 / np.sqrt(MANY)
    assert x.var(axis=0).sum() / np.trace(covariance) == pytest.approx(1.0, abs=0.08)


@pytest.mark.slow
def test_no_observation_returns_the_prior(linear):
    none = table(linear).iloc[:0]
    sampled, problem = members(linear, none)
    prior = problem.gain.prior
    variance = prior.error.variance + (prior.factor.astype(float) ** 2).sum(axis=0)
    rows = linear.mask.ravel()
    assert sampled.x[:, rows].var(axis=0).sum() / variance[rows].sum() == pytest.approx(1, abs=0.08)
    # The flow of probability leaves draws of N(0, I) where they are: those of every sampler.
    draws = Assimilator(linear).ensemble(none, 7, members=MANY, seed=1)
    np.testing.assert_allclose(sampled.z, draws.z, atol=0.02)


@pytest.mark.slow
def test_members_of_a_trained_prior_without_observations_are_its_draws(trained):
    sampled, problem = members(trained, table(trained).iloc[:0], SAMPLER, 300)
    zeta = np.linalg.solve(problem.gain.prior.turn, sampled.z.T).T
    drawn = trained.prior("diffusion").sample(3000, 7, 0)
    assert np.abs(zeta.mean(axis=0) - drawn.mean(axis=0)).max() < 0.25
    np.testing.assert_allclose(zeta.std(axis=0), drawn.std(axis=0), rtol=0.2)


def test_members_of_a_curved_decoder_fit_the_observations_as_their_errors_say(trained):
    observations = table(trained, 12)
    sampled, problem = members(trained, observations, SAMPLER, 100)
    x = sampled.x.reshape(100, *trained.mask.shape)
    observed = problem.observed
    left = trained.operator.apply(observed.places, x) - observed.value
    assert 0.3 < float(np.mean(left**2 / observed.variance)) < 3.0


@pytest.mark.slow
def test_by_the_assimilator_as_other_samplers(trained):
    observations = table(trained, 10)
    engine = Assimilator(trained)
    asked = {"sampler": "guided", "members": 12}
    steps = list(engine.ensemble_steps(observations, 7, **asked))
    assert [s.done for s in steps] == [*range(1, steps[-1].total + 1), steps[-1].total]
    ensemble = steps[-1].ensemble
    assert ensemble.anomalies.shape == (12, *trained.mask.shape)
    assert "guided by" in ensemble.outcome
    again = engine.ensemble(observations, 7, **asked)
    np.testing.assert_array_equal(again.anomalies, ensemble.anomalies)
    other = engine.ensemble(observations, 7, **asked, seed=3)
    assert np.nanmax(np.abs(other.anomalies - ensemble.anomalies)) > 0.1
    # A withheld report changes nothing.
    more = observations.copy()
    more.loc[len(more)] = {**observations.iloc[0].to_dict(), "value": 3.0, "withheld": True}
    np.testing.assert_array_equal(engine.ensemble(more, 7, **asked).anomalies, ensemble.anomalies)
    # Cancelled by closing.
    cancelled = engine.ensemble_steps(observations, 7, **asked)
    next(cancelled)
    cancelled.close()


@pytest.mark.slow
def test_larger_errors_widen_and_duplicates_count_as_half_the_variance(linear):
    once = at_cells(linear, [2, 5], [3, 10], "tas")
    twice = once.loc[[0, 0, 1, 1]].reset_index(drop=True)
    twice["error_sd"] *= np.sqrt(2)
    wide = once.assign(error_sd=2 * once["error_sd"])
    spreads = [
        float(members(linear, t)[0].x[:, linear.mask.ravel()].var(axis=0).sum())
        for t in (once, twice, wide)
    ]
    assert spreads[1] / spreads[0] == pytest.approx(1.0, abs=0.05)
    rows = linear.mask.ravel()
    narrow, wider = (np.diag(kalman(linear, t)[1])[rows].sum() for t in (once, wide))
    # Of the same random numbers, so that their chance is not in the quotient.
    assert wider > narrow
    assert spreads[2] / spreads[0] == pytest.approx(wider / narrow, abs=0.004)


def test_what_it_cannot_do_is_refused_in_a_sentence(linear, trained):
    with pytest.raises(BundleError, match=r"mlda prior train .* --prior diffusion"):
        Assimilator(linear).ensemble(table(linear, 6), 7, sampler="guided")
    with pytest.raises(StateError, match="use laplace, which is exact"):
        Assimilator(trained).ensemble(table(trained, 6), 7, sampler="guided", method="enoi")
    # Known before anything is drawn: the page offers it so.
    SAMPLER.check(trained)
    with pytest.raises(BundleError, match="no diffusion prior"):
        SAMPLER.check(linear)


@pytest.mark.slow
def test_an_observed_sea_is_refused_unless_it_is_not_to_be_the_prior(trained):
    row = trained.sea_row
    at = np.nonzero(trained.mask[row])
    sea = at_cells(trained, at[0], at[1], "tos").assign(value=0.1, error_sd=0.1)
    engine = Assimilator(trained)
    with pytest.raises(StateError, match="Where the sea is observed"):
        engine.ensemble(sea, 7, sampler="guided", members=5)
    assert len(engine.ensemble(sea, 7, sampler="guided", members=5, sea_prior=False)) == 5


@pytest.mark.slow
def test_reports_bounds_and_heavy_tails_are_refused_with_samplers_that_take_them(linear, trained):
    line = "tas,50,10,{},{},\ntas,30,20,1,0.5,,\n"
    for value, kind in (("colder", "report"), (0, "lower_bound"), (1, "student_t")):
        observations = kind_rows(trained, line.format(f"{value},0.5", kind))
        with pytest.raises(StateError, match=r"rows 1\).* use one of laplace, .*perturbed"):
            Assimilator(trained).ensemble(observations, 7, sampler="guided", members=4)
    # A mean has a normal error, and is taken.
    mean = kind_rows(linear, "psl,,,2,1,mean,north\n")
    assert members(linear, mean, n=4)[0].x.shape[0] == 4
