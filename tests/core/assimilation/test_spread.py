"""Variances of prepared assimilations, and their estimates in display units."""

from __future__ import annotations

import numpy as np
import pytest
from exact import table

from mlda_core.assimilation.assimilator import Assimilator, Background
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.posterior.innovation_scale import scale_of
from mlda_core.assimilation.spread import (
    kept_variance,
    mean_anomalies,
    mean_spread,
    posterior_variance,
    scaled_variance,
    spreads,
    variance_at,
)
from mlda_core.observations.standardised import standardise


@pytest.fixture(scope="module")
def engine(linear):
    return Assimilator(linear)


def problem_of(engine, method, **settings):
    observed = standardise(table(engine.bundle, 8), engine.bundle, 7)
    setting = Setting(method=method, **settings)
    return engine.preparation.problem(observed, np.arange(len(observed)), 7, setting)


@pytest.mark.parametrize("method", ["vae", "enoi"])
def test_observations_take_variance_away_and_all_is_kept_once(engine, method):
    gain = problem_of(engine, method).gain
    prior, posterior = (kept_variance(gain, stage) for stage in ("prior", "posterior"))
    assert (posterior <= prior + 1e-4).all()
    assert posterior.sum() < 0.99 * prior.sum()
    assert kept_variance(gain, "prior") is prior
    with pytest.raises(ValueError, match="read-only"):
        prior[0] = 0
    part = slice(5, 9)
    np.testing.assert_allclose(variance_at(gain, "posterior", part), posterior[part], rtol=1e-4)


def test_only_what_is_transformed_is_averaged_over_a_spread(engine):
    problem = problem_of(engine, "vae")
    sd = mean_spread(problem)
    names = [v.name for v in engine.bundle.variables]
    for name, field in zip(names, sd, strict=True):
        assert (field > 0).any() == (name == "pr")
    rain = names.index("pr")
    expected = np.sqrt(posterior_variance(problem).reshape(sd.shape)[rain])
    np.testing.assert_allclose(sd[rain], expected, rtol=1e-5)
    assert (mean_spread(problem, "prior")[rain] >= sd[rain] - 1e-4).all()
    # Rain's transform is convex, so its mean over a spread is wetter than that of the middle.
    x = problem.x_b
    wet, dry = mean_anomalies(problem, x, "prior")[rain], mean_anomalies(problem, x)[rain]
    assert np.nanmean(wet) >= np.nanmean(dry)


def test_a_given_background_is_taken_as_it_is(engine):
    bundle = engine.bundle
    given = Background(np.zeros(bundle.n_latent), np.zeros(bundle.mask.shape))
    assert not mean_spread(problem_of(engine, "vae", background=given)).any()


def test_the_decoded_state_alone_has_its_own_error(engine):
    alone = problem_of(engine, "vae_latent_only")
    np.testing.assert_array_equal(posterior_variance(alone), kept_variance(alone.gain, "latent"))
    np.testing.assert_array_equal(mean_spread(alone), mean_spread(alone, "latent"))


def test_spreads_are_of_the_posterior_and_of_past_months(engine):
    problem = problem_of(engine, "vae")
    posterior, past = spreads(problem, problem.x_b)
    tas = [v.name for v in engine.bundle.variables].index("tas")
    scale = engine.bundle.normaliser.spread[6, tas]
    sd = np.sqrt(scaled_variance(problem)).reshape(past.shape)[tas]
    np.testing.assert_allclose(posterior[tas], sd * scale, rtol=1e-3)
    np.testing.assert_allclose(past[tas], scale, rtol=1e-3)


@pytest.mark.parametrize("method", ["vae", "eof", "enoi"])
def test_the_size_of_a_spread_is_what_the_observations_say(engine, method):
    """Departures ten times as large make what is observed less sure, and nothing else."""
    bundle = engine.bundle
    rows = table(bundle, 8)
    surprising = rows.assign(value=10 * rows["value"])
    usual, wide = (engine.run(rows, 7, method=method) for rows in (rows, surprising))
    seen = rows["variable"].unique()
    assert 0 < len(seen) < len(bundle.variables)
    for v, variable in enumerate(bundle.variables):
        there = bundle.mask[v]
        if variable.transform != "none":
            continue
        ratio = wide.spread[v][there] / usual.spread[v][there]
        assert np.ptp(ratio) < 1e-3
        if variable.name in seen:
            assert ratio.mean() > 1.02
        else:
            assert ratio.mean() == pytest.approx(1)


def test_the_factor_is_one_a_variable_and_of_the_whole_analysis_alone(engine):
    problem, alone = (problem_of(engine, method) for method in ("vae", "vae_latent_only"))
    shape = (len(engine.bundle.variables), -1)
    ratio = scaled_variance(problem).reshape(shape) / posterior_variance(problem).reshape(shape)
    factors = np.broadcast_to(scale_of(problem)[:, None], ratio.shape)
    np.testing.assert_allclose(ratio, factors, rtol=1e-5)
    assert np.ptp(factors) > 0.01
    np.testing.assert_array_equal(scaled_variance(alone), posterior_variance(alone))
