"""Assimilation against closed forms, on a small climate and on the bundled model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from exact import at_cells, dense_covariance, hybrid, table

from mlda_core.assimilation.assimilator import METHODS, Assimilator
from mlda_core.assimilation.localisation import great_circle
from mlda_core.climate.errors import StateError
from mlda_core.climate.interpolation import ObservationError
from mlda_core.climate.sphere import unit_vectors
from mlda_core.observations.standardised import MOST_OBSERVATIONS, standardise, thin


def test_a_linear_decoder_gives_optimal_interpolation_and_its_posterior(linear):
    observations = at_cells(linear, [1, 2, 4, 6, 6], [0, 5, 9, 15, 3], "tas")
    analysis = Assimilator(linear).run(observations, 7)
    observed = standardise(observations, linear, 7)
    share = linear.settings.hybrid(5)
    b = dense_covariance(linear, hybrid(linear, share), share)
    h = np.zeros((5, b.shape[0]))
    for i, (cell, weight) in enumerate(
        zip(observed.places.index, observed.places.weight, strict=True)
    ):
        np.add.at(h[i], cell, weight)
    x_b = linear.decode_standardised(np.zeros((1, linear.n_latent)), 7).ravel().astype(float)
    s = h @ b @ h.T + np.diag(observed.variance)
    gain = b @ h.T @ np.linalg.inv(s)
    expected = x_b + gain @ (observed.value - h @ x_b)
    np.testing.assert_allclose(analysis.standardised.ravel(), expected, atol=2e-3)

    posterior = np.diag(b - gain @ h @ b)
    engine = Assimilator(linear)
    found = engine.posterior_variance(observed.places, observed.variance, 7).ravel()
    np.testing.assert_allclose(found, posterior, rtol=2e-3, atol=2e-4)
    assert analysis.statistics.degrees_of_freedom == pytest.approx(np.trace(h @ gain), rel=1e-3)
    d = observed.value - h @ x_b
    assert analysis.statistics.chi_squared == pytest.approx(d @ np.linalg.inv(s) @ d / 5, rel=1e-3)


def test_withheld_observations_change_nothing_but_are_scored(bundled):
    engine = Assimilator(bundled)
    observations = table(bundled, 30, month="1997-12")
    fewer = observations.iloc[5:].reset_index(drop=True)
    withheld = observations.copy()
    withheld.loc[:4, "withheld"] = True
    withheld.loc[:4, "value"] = [91.0, 92.0, 93.0, 94.0, 95.0]
    a = engine.run(fewer, "1997-12")
    b = Assimilator(bundled).run(withheld, "1997-12")
    np.testing.assert_array_equal(a.anomalies, b.anomalies)
    np.testing.assert_array_equal(a.z, b.z)
    np.testing.assert_array_equal(a.spread, b.spread)
    told = b.observations
    assert not told["used"][:5].any()
    assert told["used"][5:].all()
    assert (told["standardised_departure"][:5].abs() > 10).all()
    assert (told["analysis_departure"][:5] > 50).all()
    assert b.statistics.n_withheld == 5


def test_two_observations_at_one_place_equal_one_of_half_the_variance(linear):
    observations = table(linear, 6)
    twice = pd.concat([observations, observations.iloc[[3]]], ignore_index=True)
    once = observations.copy()
    once.loc[3, "error_sd"] /= np.sqrt(2.0)
    a, b = (Assimilator(linear).run(t, 7) for t in (twice, once))
    np.testing.assert_allclose(a.standardised, b.standardised, atol=1e-3)
    engine = Assimilator(linear)
    first, second = (standardise(t, linear, 7) for t in (twice, once))
    np.testing.assert_allclose(
        engine.posterior_variance(first.places, first.variance, 7),
        engine.posterior_variance(second.places, second.variance, 7),
        atol=1e-4,
    )


def test_no_observation_leaves_the_prior(linear):
    analysis = Assimilator(linear).run(table(linear).iloc[:0], 7)
    np.testing.assert_array_equal(analysis.z, np.zeros(linear.n_latent))
    np.testing.assert_allclose(np.nan_to_num(analysis.increment), 0.0, atol=1e-6)
    assert analysis.statistics.n_used == 0
    assert analysis.converged
    assert analysis.outcome.startswith("nothing is observed")


@pytest.mark.slow
def test_every_method_answers_and_beats_climatology(bundled):
    engine = Assimilator(bundled)
    month = "1984-01"  # VALIDATION: nothing is tuned on TEST
    observations = table(bundled, 100, month=month, variables=("psl", "tos", "tas"), error=0.2)
    target, w = bundled.target(month), bundled.normaliser.weights
    skill = {}
    for method in METHODS:
        analysis = engine.run(observations, month, method=method)
        lost = np.nansum(w * (analysis.anomalies - target) ** 2, axis=(1, 2))
        skill[method] = 1 - lost / np.nansum(w * target**2, axis=(1, 2))
        assert analysis.method == method
        assert np.isfinite(analysis.anomalies[bundled.mask]).all()
        assert np.isnan(analysis.anomalies[~bundled.mask]).all()
        assert np.isfinite(analysis.spread[bundled.mask]).all()
    np.testing.assert_allclose(skill["climatology"], 0.0, atol=1e-6)
    for method in ("vae", "eof", "enoi"):
        assert (skill[method] > 0.1).all(), (method, skill[method])
        assert skill[method][0] > 0.6


@pytest.mark.slow
def test_wrong_settings_are_refused_in_a_sentence(bundled):
    engine = Assimilator(bundled)
    observations = table(bundled, 2, month="1984-01")
    for settings, words in (
        ({"method": "kriging"}, "There is no method 'kriging'"),
        ({"localisation": 0.0}, "localisation is 0.0"),
        ({"max_steps": -1}, "max_steps is -1"),
        ({"reach": 2.0}, "no setting 'reach'"),
        ({"background": 3}, "The background is none"),
        ({"background": "2525-01"}, "no month '2525-01'"),
    ):
        with pytest.raises(StateError, match=words):
            engine.run(observations, "1984-01", **settings)
    for method in ("adam", "regression"):
        with pytest.raises(StateError, match=r"has no prior of its own|no latent vector"):
            engine.cost_of(np.zeros(bundled.n_latent), observations, 1, method=method)
    for month in ("1984-13", 0, 13, True, None, "soon", "abcd-07"):
        with pytest.raises(StateError, match="is not a month"):
            engine.run(observations, month)
    with pytest.raises(ObservationError, match=r"\(row 2: value is empty\)"):
        engine.run(observations.assign(value=[1.0, np.nan, 1.0, 1.0][: len(observations)]), 1)
    with pytest.raises(ObservationError, match="rows 1, 2, 3, 4: error_sd '-1' is no error"):
        engine.run(observations.assign(error_sd=-1.0), 1)
    with pytest.raises(StateError, match="regression uses the sea"):
        engine.run(observations, "1984-01", method="regression")


def test_thinning_keeps_the_most_accurate_and_an_even_share(bundled):
    rng = np.random.default_rng(0)
    count = 4000
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, count)))
    lon = rng.uniform(0, 360, count)
    which = np.where(np.arange(count) < 100, 0, 2)
    places = bundled.operator.locate(which, lat, lon)
    variance = rng.choice([0.04, 1.0], count)
    kept = thin(places, variance)
    assert len(kept) <= MOST_OBSERVATIONS
    assert len(kept) > 0.8 * MOST_OBSERVATIONS
    assert (which[kept] == 0).sum() == 100
    np.testing.assert_array_equal(kept, np.unique(kept))
    dense = kept[which[kept] == 2]
    assert variance[dense].mean() < 0.5 * variance[which == 2].mean()
    # Spread over the globe: no point of the sphere is far from an observation that is used.
    points = unit_vectors(lat[dense], lon[dense])
    everywhere = unit_vectors(lat, lon)
    assert great_circle(everywhere, points).min(axis=1).max() < 1000
