"""Observations with gross errors: found by what all others say, and down-weighted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from held_out import MONTH, observe
from small import make_linear

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.options import Setting
from mlda_core.assimilation.robust import FAR_SD, LEAST_WEIGHT, robust_weights, weight_of
from mlda_core.climate.errors import StateError
from mlda_core.observations.networks import NetworkSpec
from mlda_core.observations.table import observation_table


def spoil(table, bundle, fraction, *, seed=0):
    """Add to some rows 1.5 to 5 times the map's colour limit; return the table and which."""
    rng = np.random.default_rng(seed)
    bad = rng.random(len(table)) < fraction
    limit = np.array([next(v for v in bundle.variables if v.name == n).anomaly_limit
                      for n in table["variable"]])  # fmt: skip
    error = limit * rng.choice([-1.0, 1.0], len(table)) * rng.uniform(1.5, 5.0, len(table))
    value = np.where(
        bad, np.clip(table["value"] + error, -9.9 * limit, 9.9 * limit), table["value"]
    )
    return table.assign(value=value), bad


def explained(bundle, anomalies, month=MONTH):
    weights, target = bundle.normaliser.weights, bundle.target(month)
    lost = np.nansum(weights * (anomalies - target) ** 2, axis=(1, 2))
    return 1 - lost / np.nansum(weights * target**2, axis=(1, 2))


def test_weights_are_one_up_to_the_limit_and_fall_steeply_beyond():
    misfit = np.array([0.0, -2.0, 3.99, FAR_SD, -4.5, 5.0, 8.0, 1e3, -1e9])
    found = weight_of(misfit)
    assert (found[:4] == 1.0).all()
    # Twice 1 - gamma / (gamma + exp(-m^2 / 2)), and gamma exp(-8).
    gamma = np.exp(-8.0)
    for m, weight in zip(misfit[4:7], found[4:7], strict=True):
        expected = 2 * (1 - gamma / (gamma + np.exp(-(m**2) / 2)))
        assert weight == pytest.approx(max(expected, LEAST_WEIGHT), rel=1e-9)
    assert found[7:].tolist() == [LEAST_WEIGHT, LEAST_WEIGHT]


def test_distances_are_those_of_leaving_one_out_with_the_others_as_weighted(tmp_path):
    """The long way round: every observation predicted from the others alone."""
    bundle = make_linear(tmp_path)
    table, bad = spoil(observe(bundle, NetworkSpec("stations", count=12), "1982-07"), bundle, 0.15)
    engine = Assimilator(bundle)
    problem = engine.preparation.of_table(table, 7, Setting(method="eof")).problem
    gain, departures = problem.gain, problem.departures(problem.x_b)
    weight = robust_weights(gain, departures)
    assert (weight[bad] < 0.05).all()
    assert (weight[~bad] > 0.5).all()
    signal = gain.error_covariance + gain.latent @ gain.latent.T
    for i in range(len(table)):
        others = np.arange(len(table)) != i
        s = signal[np.ix_(others, others)] + np.diag((gain.variance / weight)[others])
        k = np.linalg.solve(s, signal[others, i])
        sd = np.sqrt(signal[i, i] - signal[i, others] @ k + gain.variance[i])
        misfit = (departures[i] - k @ departures[others]) / sd
        assert weight[i] == pytest.approx(weight_of(np.array([misfit]))[0], rel=0.05, abs=1e-3)
    told = engine.run(table, 7, method="eof", robust=True).observations
    np.testing.assert_allclose(told["robust_weight"], weight)
    assert told["standardised_departure"].abs()[bad].min() > FAR_SD


@pytest.mark.slow
@pytest.mark.parametrize("method", ["vae", "enoi"])
def test_nothing_changes_where_nothing_is_off(bundled, engine, method):
    table = observe(bundled, NetworkSpec("stations", count=30))
    plain, robust = (engine.run(table, MONTH, method=method, robust=flag) for flag in (False, True))
    for name in ("anomalies", "latent_only", "background", "standardised", "spread"):
        np.testing.assert_array_equal(getattr(robust, name), getattr(plain, name))
    assert (robust.cost, robust.path) == (plain.cost, plain.path)
    assert robust.outcome == plain.outcome
    pd.testing.assert_frame_equal(
        robust.observations.drop(columns="robust_weight"), plain.observations
    )
    assert (robust.observations["robust_weight"] == 1.0).all()


@pytest.mark.parametrize("method", ["vae", "vae_latent_only", "eof", "enoi"])
def test_gross_errors_cost_next_to_nothing(bundled, engine, method):
    good = observe(bundled, NetworkSpec("stations", count=100))
    table, bad = spoil(good, bundled, 0.05)
    assert bad.sum() > 5
    without = engine.run(good[~bad].reset_index(drop=True), MONTH, method=method)
    plain, robust = (engine.run(table, MONTH, method=method, robust=flag) for flag in (False, True))
    best = explained(bundled, without.anomalies)
    assert (explained(bundled, plain.anomalies) < best - 0.3).any()
    np.testing.assert_allclose(explained(bundled, robust.anomalies), best, atol=0.02)
    weight = robust.observations["robust_weight"]
    assert (weight[bad] < 0.05).all()
    assert (weight[~bad] > 0.5).all()
    # As they were given.
    assert robust.observations["error_sd"].tolist() == table["error_sd"].tolist()
    n = len(table)
    assert f"{bad.sum()} of {n} observations are more than 4 σ from" in robust.outcome
    assert robust.outcome.endswith("were down-weighted")


@pytest.mark.slow
def test_an_ice_edge_that_the_model_has_not_does_not_spoil_an_observed_sea(bundled, engine):
    """The sea that is observed sets the background, which must not take the errors in."""
    row = bundled.sea_row
    rows, columns = (cells[::4] for cells in np.nonzero(bundled.mask[row]))
    target = bundled.target(MONTH)[row, rows, columns]
    lat, lon = bundled.grid.lat[rows], bundled.grid.lon[columns]
    edge = (lat > 55) & (lon > 160) & (lon < 200)
    assert edge.sum() == 21
    good = observation_table(
        {
            "variable": [bundled.variables[row].name] * rows.size,
            "lat": lat,
            "lon": lon,
            "value": target,
            "error_sd": np.full(rows.size, 0.2),
            "withheld": np.zeros(rows.size, bool),
            "label": [""] * rows.size,
        }
    )
    off = 12.0 + np.random.default_rng(0).standard_normal(rows.size)
    bad = good.assign(value=good["value"] - off * edge)
    clean = engine.run(good, MONTH)
    plain, robust = (engine.run(bad, MONTH, robust=flag) for flag in (False, True))
    assert robust.sea_held
    best, spoilt, found = (explained(bundled, a.anomalies) for a in (clean, plain, robust))
    assert spoilt[row] < best[row] - 0.07
    np.testing.assert_allclose(found, best, atol=0.01)
    used = robust.observations["used"].to_numpy()
    assert (robust.observations["robust_weight"].to_numpy()[used & edge] < 0.1).all()


def test_methods_without_a_prior_have_no_robust_way(bundled, engine):
    table = observe(bundled, NetworkSpec("stations", count=10))
    for method in ("regression", "adam", "climatology"):
        with pytest.raises(StateError, match=f"{method} has no prior to tell gross errors by"):
            engine.run(table, MONTH, method=method, robust=True)
    at = bundled.operator.locate(0, [50.0], [10.0])
    with pytest.raises(StateError, match="run each by itself"):
        engine.states(at, np.ones(1), np.zeros((1, 1)), 1, robust=True)
