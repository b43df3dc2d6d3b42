"""Analyses of observations of all kinds, against quadrature and covariances of the long way."""

from __future__ import annotations

import numpy as np
import pytest
from exact import dense_covariance, hybrid, table
from kind_posteriors import REPORTS, moments, prepared, rows
from small import make_linear, make_small

from mlda_core.assimilation.assimilator import Assimilator
from mlda_core.assimilation.mode import modes_of
from mlda_core.assimilation.posterior.samplers import SAMPLERS
from mlda_core.assimilation.posterior.slice_sampling import draw_at_observations
from mlda_core.climate.errors import StateError, UserError


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    return make_linear(tmp_path_factory.mktemp("linear"))


@pytest.fixture(scope="module")
def curved(tmp_path_factory):
    return make_small(tmp_path_factory.mktemp("curved"), curved=0.03)


def seen(ensemble, problem):
    """Members at the observations, standardised."""
    bundle = ensemble.bundle
    fields = ensemble.anomalies + bundle.climatology(7)
    x = bundle.normaliser.standardise(fields.astype(float), np.full(len(ensemble), 7))
    return bundle.operator.apply(problem.observed.places, np.nan_to_num(x))


def two_reports_at_cells(bundle):
    """Two reports at the centres of cells, where interpolation takes no variance away."""
    lat, lon = bundle.grid.lat, bundle.grid.lon
    text = (
        f"tas,{lat[-3]:.9f},{lon[2]:.9f},much colder,,report,,\n"
        f"tas,{lat[-3]:.9f},{lon[3]:.9f},colder,,report,,\n"
    )
    return rows(bundle, text)


ONE = {
    "report": "tas,50,10,much colder,,report,,\n",
    "usual": "tas,50,10,usual,0.1,report,,\n",
    "two classes": "pr,50,10,wet,,report,,\n",
    "bound": "psl,50,10,3,0.5,lower_bound,,\n",
    "heavy tails": "tas,50,10,-2,0.5,student_t,,\n",
    "mean": "psl,,,2,1,mean,north,\n",
}


@pytest.mark.parametrize("case", list(ONE))
def test_mode_and_draws_of_one_observation_agree_with_quadrature(linear, case):
    _, problem = prepared(linear, rows(linear, ONE[case]))
    mean, covariance, peak = moments(problem, linear, axes=4001)
    sd = float(np.sqrt(covariance[0, 0]))
    mode = min(modes_of(problem), key=lambda m: m.cost.total)
    assert mode.at[0] == pytest.approx(peak[0], abs=0.01 * sd)
    draws = draw_at_observations(mode, problem.observed.likelihoods, 4000, [1])[:, 0]
    assert draws.mean() == pytest.approx(mean[0], abs=5 * sd / np.sqrt(4000))
    assert draws.std() == pytest.approx(sd, rel=0.06)


TWO = {
    "two reports": "tas,50,10,much colder,,report,,\ntas,45,14,colder,,report,,\n",
    "opposed": "tas,50,10,much colder,,report,,\ntas,49,12,warm,,report,,\n",
    "bound and value": "psl,50,10,3,0.5,lower_bound,,\npsl,50,14,2,0.5,,,\n",
    "heavy tails": "tas,50,10,-4,0.3,student_t,,\ntas,50,11,1,0.3,,,\n",
}


@pytest.mark.parametrize("case", list(TWO))
def test_mode_and_draws_of_two_observations_agree_with_quadrature(linear, case):
    _, problem = prepared(linear, rows(linear, TWO[case]))
    mean, covariance, peak = moments(problem, linear, axes=700)
    sd = np.sqrt(np.diag(covariance))
    mode = modes_of(problem)[0]
    assert np.abs((mode.at - peak) / sd).max() < 0.1
    draws = draw_at_observations(mode, problem.observed.likelihoods, 4000, [1])
    assert np.abs((draws.mean(axis=0) - mean) / sd).max() < 5 / np.sqrt(4000)
    assert np.abs(draws.std(axis=0) / sd - 1).max() < 0.06
    correlation = covariance[0, 1] / (sd[0] * sd[1])
    assert np.corrcoef(draws.T)[0, 1] == pytest.approx(correlation, abs=0.06)


@pytest.mark.slow
def test_perturbed_members_have_the_moments_of_quadrature(linear):
    """Members of whole states, seen at the observations: mean and spread of the posterior."""
    observations = two_reports_at_cells(linear)
    _, problem = prepared(linear, observations)
    mean, covariance, _ = moments(problem, linear, axes=700)
    ensemble = Assimilator(linear).ensemble(
        observations, 7, sampler="perturbed", members=500, seed=3
    )
    at = seen(ensemble, problem)
    sd = np.sqrt(np.diag(covariance))
    assert np.abs((at.mean(axis=0) - mean) / sd).max() < 5 / np.sqrt(500)
    assert np.abs(at.std(axis=0) / sd - 1).max() < 0.15


@pytest.mark.slow
def test_laplace_members_have_the_curvature_at_the_mode(linear):
    observations = two_reports_at_cells(linear)
    _, problem = prepared(linear, observations)
    mode = modes_of(problem)[0]
    gain = mode.problem.gain
    prior = gain.error_covariance + gain.latent @ gain.latent.T
    exact = np.linalg.inv(
        np.linalg.inv(prior) + np.diag(problem.observed.likelihoods.curvature(mode.at))
    )
    ensemble = Assimilator(linear).ensemble(observations, 7, members=500, seed=3)
    at = seen(ensemble, problem)
    sd = np.sqrt(np.diag(exact))
    assert np.abs(at.std(axis=0) / sd - 1).max() < 0.15
    assert np.abs((at.mean(axis=0) - mode.at) / sd).max() < 5 / np.sqrt(500)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["vae", "eof", "enoi", "vae_latent_only"])
def test_the_cost_never_rises_and_ends_at_a_minimum(curved, method):
    if method == "vae":
        observations = rows(curved, REPORTS)
    else:
        observations = rows(curved, REPORTS + "psl,,,2,1,mean,north,\n")
    engine = Assimilator(curved)
    found = engine.run(observations, 7, method=method)
    assert found.converged
    assert (np.diff(found.path) <= 1e-9).all()
    if found.z is not None and method == "vae":
        cost = engine.cost_of(found.z, observations, 7)
        assert cost.total == pytest.approx(found.cost.total, rel=1e-4)
        rng = np.random.default_rng(0)
        for _ in range(4):
            aside = found.z + 0.05 * rng.standard_normal(found.z.size)
            assert engine.cost_of(aside, observations, 7).total > found.cost.total


def test_values_said_to_be_values_give_the_same_analysis_bit_by_bit(linear):
    observations = table(linear, 10)
    said = observations.assign(kind="value", area="")
    engine = Assimilator(linear)
    one, other = engine.run(observations, 7), engine.run(said, 7)
    np.testing.assert_array_equal(one.anomalies, other.anomalies)
    np.testing.assert_array_equal(one.spread, other.spread)
    assert one.cost == other.cost


def test_a_normal_mean_of_one_place_is_the_value_there(linear):
    """The way of pseudo-observations and of combined places ends where the plain one does."""
    plain = table(linear, 8)
    engine = Assimilator(linear)
    before = engine.run(plain, 7)
    # A report that says nothing: its class is nearly the whole line.
    text = "tas,50,10,-40,5,lower_bound,,\n"
    both = pd_concat(plain.assign(kind="value", area=""), rows(linear, text))
    after = engine.run(both, 7)
    np.testing.assert_allclose(after.anomalies, before.anomalies, atol=2e-3)
    np.testing.assert_allclose(after.spread, before.spread, atol=2e-3)


def pd_concat(*tables):
    import pandas as pd

    return pd.concat(tables, ignore_index=True)


def test_a_withheld_report_changes_nothing_bitwise(linear):
    observations = rows(linear, REPORTS)
    more = rows(linear, REPORTS + "tas,52,15,much warmer,,report,,yes\n")
    engine = Assimilator(linear)
    one, other = engine.run(observations, 7), engine.run(more, 7)
    np.testing.assert_array_equal(one.anomalies, other.anomalies)
    np.testing.assert_array_equal(one.spread, other.spread)
    assert np.isfinite(other.observations["standardised_departure"].iloc[-1])
    members = [engine.ensemble(o, 7, members=5, sampler="perturbed") for o in (observations, more)]
    np.testing.assert_array_equal(members[0].anomalies, members[1].anomalies)


def test_reports_that_are_all_withheld_return_the_prior(linear):
    engine = Assimilator(linear)
    found = engine.run(rows(linear, "tas,50,10,much colder,,report,,yes\n"), 7)
    nothing = engine.run(table(linear, 4).iloc[:0], 7)
    np.testing.assert_array_equal(found.anomalies, nothing.anomalies)


@pytest.mark.parametrize("row", ["psl,,,2,{sd},mean,north,\n", "psl,50,10,2,{sd},,,\n"])
def test_duplicates_count_as_half_the_variance(linear, row):
    extra = "tas,30,30,colder,,report,,\n"
    twice = rows(linear, row.format(sd=2) * 2 + extra)
    once = rows(linear, row.format(sd=np.sqrt(2)) + extra)
    engine = Assimilator(linear)
    one, other = engine.run(twice, 7), engine.run(once, 7)
    np.testing.assert_allclose(one.anomalies, other.anomalies, atol=1e-3)
    np.testing.assert_allclose(one.spread, other.spread, atol=1e-3)


def test_many_degrees_of_freedom_give_the_analysis_of_a_normal_error(linear):
    line = "tas,50,10,-2,0.5,{kind},,\npsl,30,20,1,1,,,\n"
    engine = Assimilator(linear)
    heavy = engine.run(rows(linear, line.format(kind="student_t(1e7)")), 7)
    normal = engine.run(rows(linear, line.format(kind="")), 7)
    np.testing.assert_allclose(heavy.anomalies, normal.anomalies, atol=1e-3)
    tas = [v.name for v in linear.variables].index("tas")
    others = np.arange(len(linear.variables)) != tas
    np.testing.assert_allclose(heavy.spread[others], normal.spread[others], atol=1e-3)
    # Rows with normal errors alone tell the size of a variable's posterior.
    ratio = (heavy.spread / normal.spread)[tas][linear.mask[tas]]
    assert np.ptp(ratio) < 1e-4
    assert ratio.mean() == pytest.approx(1, abs=0.05)


@pytest.mark.slow
def test_representation_error_of_means_and_differences_is_that_of_the_cells(linear):
    """Against B over all cells, built the long way round."""
    observations = rows(
        linear,
        "psl,,,2,1,mean,north,\npsl,,,2,1,mean,-30 0 20 90,\npsl,,,2,1,difference,"
        "north minus south,\n",
    )
    _, problem = prepared(linear, observations)
    share = linear.settings.hybrid(3)
    b = dense_covariance(linear, hybrid(linear, share), share)
    places = problem.observed.places
    h = np.zeros((3, b.shape[0]))
    for i in range(3):
        np.add.at(h[i], places.index[i], places.weight[i])
    gain = problem.gain
    np.testing.assert_allclose(
        gain.error_covariance + gain.latent @ gain.latent.T, h @ b @ h.T, atol=2e-3
    )
    jacobian = linear.jacobian(7).reshape(linear.n_latent, -1).astype(float)
    columns = h @ (b - share * jacobian.T @ jacobian)
    np.testing.assert_allclose(gain.columns, columns, atol=2e-3)
    # Over a region representation errors average out.
    cell = np.sqrt(np.diag(b)[: linear.grid.weights.size].mean())
    assert np.sqrt((h @ b @ h.T)[0, 0]) < 0.8 * cell
    # Draws of fields at combined places have the same covariance.
    from mlda_core.assimilation.random_fields import ErrorSampler

    drawn = ErrorSampler(gain.prior.error, 3000, 0).at(places)
    np.testing.assert_allclose(np.cov(drawn.T), gain.error_covariance, atol=0.05)


def test_two_modes_are_found_and_said(linear):
    text = "tas,50,10,-2,0.1,student_t(1),,\ntas,50,10.5,2.5,0.1,student_t(1),,\n"
    observations = rows(linear, text)
    engine = Assimilator(linear)
    found = engine.run(observations, 7)
    assert max(found.shape.modes.max(), found.shape.n_minima) > 1
    assert "two modes" in found.outcome or "minima" in found.outcome
    assert {"skewness", "n_modes", "n_minima"} <= set(found.to_dataset("1982-07"))
    many = engine.ensemble(observations, 7, sampler="multistart", members=40)
    assert many.n_minima > 1


def test_a_skewed_posterior_is_said(linear):
    found = Assimilator(linear).run(rows(linear, "tas,50,10,much colder,0.05,report,,\n"), 7)
    assert found.shape.skewness[0] < -0.5
    assert "skewed" in found.outcome


@pytest.mark.parametrize("sampler", list(SAMPLERS))
def test_every_sampler_takes_reports_or_says_that_it_cannot(linear, sampler):
    engine = Assimilator(linear)
    observations = rows(linear, REPORTS)
    if not SAMPLERS[sampler].takes_reports:
        # This bundle lacks its prior; with one, test_guided.py has the rows named.
        with pytest.raises(UserError, match="mlda prior train"):
            engine.ensemble(observations, 7, sampler=sampler, members=4)
        return
    one, other = (
        engine.ensemble(observations, 7, sampler=sampler, members=20, seed=2) for _ in range(2)
    )
    np.testing.assert_array_equal(one.anomalies, other.anomalies)
    exact = engine.run(observations, 7).spread
    ratio = np.nanmean(one.spread) / np.nanmean(exact)
    assert 0.7 < ratio < 1.4


@pytest.mark.parametrize("method", ["adam", "regression"])
def test_methods_without_a_likelihood_refuse_reports(linear, method):
    with pytest.raises(StateError, match=r"observations 1, 2, 3, 4, 5 are of another kind") as told:
        Assimilator(linear).run(rows(linear, REPORTS), 7, method=method)
    assert "vae" in str(told.value)


def test_robust_weights_are_of_values_only(linear):
    observations = rows(linear, REPORTS + "psl,32,22,-60,1,,,\n")
    found = Assimilator(linear).run(observations, 7, robust=True).observations
    assert (found["robust_weight"].to_numpy()[:5] == 1).all()
    assert found["robust_weight"].iloc[-1] < 1


def test_influence_of_a_report_is_its_own_analysis(linear):
    observations = rows(linear, ONE["report"])
    engine = Assimilator(linear)
    alone = engine.influence(observations, 7, 0)
    found = engine.run(observations, 7)
    np.testing.assert_allclose(alone[0], found.increment[0], atol=0.05)
